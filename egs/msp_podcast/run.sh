#!/usr/bin/env bash
# Joint emotion recognition and speech enhancement on MSP-Podcast with the settings of the paper: WavLM Large, babble of
# CRSS-4ENGLISH-14 in training (5 dB), Freesound and DNS as noises that training never heard.
#
#   ./run.sh --msp-podcast /corpora/MSP-Podcast --noise-seen crss=/corpora/babble \
#       --noise-unseen "freesound=/corpora/freesound dns=/corpora/dns/noise"

# shellcheck source=/dev/null disable=SC2034 # merit.sh reads the options
set -euo pipefail
. "$(dirname "$0")/../TEMPLATE/merit.sh"

msp_podcast=        # the corpus: the folder that holds Audios/ and Labels/
allow_missing=false # go on without the audio files that are missing
noise_seen=crss=    # noise of training and test, as name=folder
noise_unseen=       # noises of the test alone, as "name=folder name=folder"; the paper: freesound and dns
data_options="classes allow_missing"

merit msp_podcast "$@"
