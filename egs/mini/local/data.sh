#!/usr/bin/env bash
# Everything that the mini recipe needs, made on the spot: data.sh <audio-dir> <data-dir>
set -euo pipefail

audio=$1
data=$2
python=${python:-python}

"$python" local/prepare_mini.py --corpus "$audio" --output "$data"
"$python" local/make_noise.py --output dump/noise
"$python" local/make_encoder.py --output dump/encoder/wavlm_mini
