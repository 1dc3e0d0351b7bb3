#!/bin/sh
# Generates clients from a document (a file or an address) into a folder: of the languages that are named behind, or of
# all that have their settings beside this file.
set -eu

settings=$(dirname "$0")
document=$1
folder=$2
shift 2
[ $# -gt 0 ] || set -- csharp java php python typescript

# A short run of Java's: compiling its own code well would cost more than it saves.
export JAVA_OPTS="${JAVA_OPTS:--XX:TieredStopAtLevel=1}"
for language; do
    # What an earlier document had, and this one has not, is to go.
    rm -rf "${folder:?}/$language"
    said=$(openapi-generator-cli generate --input-spec "$document" --config "$settings/$language.yaml" \
        --output "$folder/$language" 2>&1) || {
        printf '%s\n' "$said" >&2
        exit 1
    }
    echo "$folder/$language"
done
