#!/usr/bin/env bash
# Joint emotion recognition and speech enhancement on IEMOCAP: five sessions of two actors each, a fold for each one.
#
#   ./run.sh --iemocap /corpora/IEMOCAP_full_release --fold 1 --work fold1 \
#       --noise-unseen "esc50=/corpora/ESC-50 wham=/corpora/wham_noise"

# shellcheck source=/dev/null disable=SC2034 # merit.sh reads the options
set -euo pipefail
. "$(dirname "$0")/../TEMPLATE/merit.sh"

iemocap=                # the corpus: the folder that holds Session1 to Session5
fold=1                  # session of the test; dev is the next one (1 after 5), training has the other three
merge_excited=true      # count excited as happy
allow_missing=false     # go on without the audio files that are missing
babble_data=data/babble # what the training speakers say under other labels
data_options="classes fold merge_excited allow_missing"

merit iemocap "$@"
