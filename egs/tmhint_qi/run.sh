#!/usr/bin/env bash
# Speech quality on TMHINT-QI, noisy and enhanced Mandarin.
#
#   ./run.sh --tmhint-qi /corpora/TMHINTQI

# shellcheck source=/dev/null disable=SC2034 # mos.sh reads the options
set -euo pipefail
. "$(dirname "$0")/../TEMPLATE/mos.sh"

tmhint_qi=              # the corpus: the folder with raw_data.csv, train and test
allow_missing=false     # go on without the files that are missing
data_options="allow_missing"

mos tmhint_qi "$@"
