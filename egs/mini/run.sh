#!/usr/bin/env bash
# Joint emotion recognition and speech enhancement on a corpus that espeak-ng speaks on the spot: no download, every
# stage of the big recipes, minutes on two processor cores.
#
#   ./run.sh                            everything; what is done already is skipped
#   ./run.sh --stage 4 --stop-stage 5   only the training

# shellcheck source=/dev/null disable=SC2034 # merit.sh reads the options
set -euo pipefail
. "$(dirname "$0")/../TEMPLATE/merit.sh"

mini=downloads/mini # where the speech is written
babble_data=data/babble # voices that are in no other set
data_options= # none but the corpus
noise_unseen="wind=dump/noise/wind machine=dump/noise/machine"
mix=online # every epoch hears each utterance in another mixture ...
snr_train="-5:20" # ... at another ratio, dB
feats=online
ssl=merit-tiny # comes with the package
nj=2
ngpu=0

# A model so small trains no faster with two threads, which wait for each other more than they work, than with one.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}

merit mini "$@"
