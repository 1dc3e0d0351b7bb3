#!/bin/sh
# Makes .env with the secrets that compose.yaml asks for, each of this machine's own. What is there is left alone: with
# other keys the hub could not read its database any more.
#
# usage: deploy/compose/make-env.sh [command that is smshub]
set -eu
cd "$(dirname "$0")/../.."

if [ -e .env ]; then
    echo ".env is there already." >&2
    exit 1
fi
[ $# -gt 0 ] || set -- docker run --rm --network none "sms-hub:${SMSHUB_VERSION:-latest}"

word() {
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}

umask 077
# By way of another name, so that half a file is never taken for a whole one.
made=$(mktemp .env.XXXXXX)
trap 'rm -f "$made"' EXIT
signing=$("$@" keys generate)
encryption=$("$@" keys generate)
cat >"$made" <<END
SMSHUB_SIGNING_KEYS=$signing
SMSHUB_ENCRYPTION_KEYS=$encryption
POSTGRES_PASSWORD=$(word)
GRAFANA_PASSWORD=$(word)
END
mv "$made" .env
echo ".env is made. Keep a copy of it in a safe place: without its keys the credentials of providers cannot be read." >&2
