#!/bin/sh
# Installs what debian.txt, or the list that is given, names and this machine lacks. Where it cannot it says so, and the tests in question skip.
set -eu

packages=$(grep -v '^#' "${1:-$(dirname "$0")/debian.txt}")
if ! command -v apt-get >/dev/null; then
    echo "There is no apt-get here: tests that need one of these are skipped where it is missing:" $packages >&2
    exit
fi

missing=
for package in $packages; do
    state=$(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null) || state=unknown
    [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
    echo "Tests are skipped that need packages which only root can install: apt-get install$missing" >&2
    exit
fi

# Tests start their own: nothing is to run as a service just because it was installed.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get -qq update && apt-get -qq install --yes --no-install-recommends $missing; }; then
    echo "Tests are skipped that need packages which could not be installed:$missing" >&2
fi
