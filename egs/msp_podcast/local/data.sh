#!/usr/bin/env bash
# MSP-Podcast as Kaldi data directories: data.sh <corpus> <data-dir>
# allow_missing=true in the environment goes on without the audio files that are missing.
set -euo pipefail

corpus=$1
data=$2
python=${python:-python}
allow_missing=${allow_missing:-false}

"$python" local/prepare_msp_podcast.py --corpus "$corpus" --output "$data" --allow_missing "$allow_missing"
