#!/usr/bin/env bash
# Speech quality on BVCC, the main track of the VoiceMOS Challenge 2022.
#
#   ./run.sh --bvcc /corpora/BVCC/main/DATA

# shellcheck source=/dev/null disable=SC2034 # mos.sh reads the options
set -euo pipefail
. "$(dirname "$0")/../TEMPLATE/mos.sh"

bvcc=                   # the corpus: the folder DATA, with sets and wav
allow_missing=false     # go on without the files that are missing
data_options="allow_missing"

mos bvcc "$@"
