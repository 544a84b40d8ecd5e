#!/usr/bin/env bash
# Joint emotion recognition and speech enhancement on EmoDB, the Berlin Database of Emotional Speech: real acted
# emotion, babble in training, real noise of your choice in the test.
#
#   ./run.sh --emodb /corpora/emodb --noise-unseen "esc10=/corpora/ESC-10 scbg=/corpora/background_noise"

# shellcheck source=/dev/null disable=SC2034 # merit.sh reads the options
set -euo pipefail
. "$(dirname "$0")/../TEMPLATE/merit.sh"

emodb= # the corpus: the folder that holds wav/03a01Fa.wav
babble_data=data/babble # what the training speakers say in other emotions
nj=2

merit emodb "$@"
