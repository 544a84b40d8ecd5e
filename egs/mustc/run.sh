#!/usr/bin/env bash
# Transcription and translation of English talks with MuST-C.
#
#   ./run.sh --mustc /corpora/MUST-C/en-de --target-lang de

# shellcheck source=/dev/null disable=SC2034 # smoe.sh reads the options
set -euo pipefail
. "$(dirname "$0")/../TEMPLATE/smoe.sh"

mustc=              # the corpus: the folder en-<target>, which holds data/train and others
allow_missing=false # go on without the talks that are missing
target_lang=de
data_options="target_lang allow_missing"

smoe mustc "$@"
