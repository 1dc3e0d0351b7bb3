#!/bin/sh
# Sends a text: sh send_text.sh "970-690-4544" "See you at 10:30."
# It needs curl and jq, and your credentials in the environment.
set -eu

HUB=https://sms-hub.example
: "${SMSHUB_PROGRAM_SID:?is not set}" "${SMSHUB_PROGRAM_KEY:?is not set}"
export SMSHUB_PROGRAM_SID SMSHUB_PROGRAM_KEY

files=$(mktemp -d)
trap 'rm -rf "$files"' EXIT

# hub PATH [OPTION...]: calls the hub. Key and token are never among the
# options: everyone on this machine can see those.
hub() {
    path=$1 && shift
    status=$(curl --silent --show-error --max-time 30 \
        --retry 2 --retry-all-errors \
        --header @"$files/token" --header "Content-Type: application/json" \
        --output "$files/answer" --write-out "%{http_code}" \
        "$@" "$HUB$path")
}

check() {
    [ "$status" = 200 ] && return
    jq --raw-output '"\(.type): \(.detail)"' "$files/answer" >&2
    exit 1
}

log_in() {
    : >"$files/token"
    hub /api/Login --data @- <<JSON
$(jq --null-input '{ProgramSID: env.SMSHUB_PROGRAM_SID,
                    ProgramKey: env.SMSHUB_PROGRAM_KEY}')
JSON
    check
    jq --raw-output '"Authorization: Bearer \(.)"' "$files/answer" \
        >"$files/token"
}

# With the same key it is sent once, however often curl repeats the call.
key=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
jq --null-input --arg number "$1" --arg message "$2" \
    '{PhoneNumber: $number, Message: $message}' >"$files/text"
send() {
    hub /api/TextMessages --data @"$files/text" \
        --header "Idempotency-Key: $key"
}

log_in
send
if [ "$status" = 401 ]; then # The token has expired.
    log_in
    send
fi
check
id=$(jq --raw-output .Id "$files/answer")
jq --raw-output '"\(.Id) is \(.Status)."' "$files/answer"

# What has become of it? Ask again later, as often as you like.
hub "/api/TextMessages/$id"
check
jq --raw-output .SentResult "$files/answer"
