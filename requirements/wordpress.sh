#!/bin/sh
# Puts the functions of Debian's WordPress beside this file, for the test of the sample that calls them. The package itself
# would bring a web server along. Where it cannot it says so, and the test skips.
set -eu

folder=$(dirname "$0")/wordpress
[ ! -e "$folder" ] || exit 0
unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT
chmod 755 "$unpacked"

if (cd "$unpacked" && apt-get -qq -o APT::Sandbox::User=root download wordpress && dpkg -x wordpress_*.deb .); then
    mkdir "$folder"
    mv "$unpacked/usr/share/wordpress/wp-includes" "$folder"
else
    echo "A test is skipped that needs Debian's package wordpress, which could not be downloaded." >&2
fi
