#!/usr/bin/env bash
# Joint emotion recognition and speech enhancement on the Emotional Speech Dataset (ESD): ten English and ten Mandarin
# speakers, who say the same sentences in five emotions.
#
#   ./run.sh --esd "/corpora/Emotion Speech Dataset" --noise-unseen "esc50=/corpora/ESC-50 wham=/corpora/wham_noise"

# shellcheck source=/dev/null disable=SC2034 # merit.sh reads the options
set -euo pipefail
. "$(dirname "$0")/../TEMPLATE/merit.sh"

esd=                    # the corpus: the folder that holds 0001 to 0020
languages=english       # whose speakers: english, mandarin or "english mandarin"
disjoint_sentences=true # no sentence is in two of train, dev and test
allow_missing=false     # go on without the audio files that are missing
babble_data=data/babble # what the training speakers say in other emotions
data_options="classes languages disjoint_sentences allow_missing"

merit esd "$@"
