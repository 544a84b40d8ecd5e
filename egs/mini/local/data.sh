#!/usr/bin/env bash
# The speech and the noises of the mini recipe, made on the spot: data.sh <audio-dir> <data-dir>
set -euo pipefail

audio=$1
data=$2
python=${python:-python}
scripts=$(dirname "$0")

"$python" "$scripts/prepare_mini.py" --corpus "$audio" --output "$data"
"$python" "$scripts/make_noise.py" --output dump/noise
