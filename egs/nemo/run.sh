#!/usr/bin/env bash
# Joint emotion recognition and speech enhancement on nEMO, acted emotional speech in Polish: babble in training, real
# noise of your choice in the test.
#
#   ./run.sh --nemo /corpora/nEMO --noise-unseen "esc50=/corpora/ESC-50"
#   ./run.sh --nemo /corpora/nEMO --classes "angry fearful happy neutral sad surprised"

# shellcheck source=/dev/null disable=SC2034 # merit.sh reads the options
set -euo pipefail
. "$(dirname "$0")/../TEMPLATE/merit.sh"

nemo=                   # the corpus: the folder that holds data.tsv and samples/EB0_anger_1.wav
allow_missing=false     # go on without the files that are missing
babble_data=data/babble # what the training actors say in other emotions
data_options="classes allow_missing"

merit nemo "$@"
