#!/usr/bin/env bash
# Print the score tables of all experiments under a folder: utils/show_result.sh [exp]
set -euo pipefail

folder=${1:-exp}
case $folder in
--help | -h)
    sed -n '2s/^# //p' "$0"
    exit 0
    ;;
esac
results=$(find "$folder" -name RESULTS.md | LC_ALL=C sort)
if [ -z "$results" ]; then
    echo "$0: found no RESULTS.md under $folder; stage 6 of a recipe writes one" >&2
    exit 1
fi
while IFS= read -r result; do
    printf '%s\n\n' "$result"
    # Headings and the tables below them.
    awk '/^#/ { heading = $0 } /^\|/ { if (heading != "") { print heading "\n"; heading = "" } print; table = 1; next }
         table { print ""; table = 0 }
         END { if (table) print "" }' "$result"
done <<<"$results"
