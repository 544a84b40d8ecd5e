#!/usr/bin/env bash
# Joint emotion recognition and speech enhancement on CREMA-D, acted emotional speech of 91 actors: babble in training,
# real noise of your choice in the test.
#
#   ./run.sh --crema-d /corpora/CREMA-D --noise-unseen "esc50=/corpora/ESC-50"
#   ./run.sh --crema-d /corpora/CREMA-D --classes "angry disgusted fearful happy neutral sad"

# shellcheck source=/dev/null disable=SC2034 # merit.sh reads the options
set -euo pipefail
. "$(dirname "$0")/../TEMPLATE/merit.sh"

crema_d=                # the corpus: the folder that holds AudioWAV/1001_DFA_ANG_XX.wav
allow_missing=false     # go on without the files that are missing
babble_data=data/babble # what the training actors say in other emotions
data_options="classes allow_missing"

merit crema_d "$@"
