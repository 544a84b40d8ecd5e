#!/usr/bin/env bash
# Joint emotion recognition and speech enhancement on RAVDESS, acted emotional speech in North American English: babble
# in training, real noise of your choice in the test.
#
#   ./run.sh --ravdess /corpora/RAVDESS --noise-unseen "esc50=/corpora/ESC-50"
#   ./run.sh --ravdess /corpora/RAVDESS --classes "neutral calm happy sad angry fearful disgusted surprised"

# shellcheck source=/dev/null disable=SC2034 # merit.sh reads the options
set -euo pipefail
. "$(dirname "$0")/../TEMPLATE/merit.sh"

ravdess=                # the corpus: the folder that holds Actor_01 to Actor_24
allow_missing=false     # go on without the files that are missing
babble_data=data/babble # what the training actors say in other emotions
data_options="classes allow_missing"

merit ravdess "$@"
