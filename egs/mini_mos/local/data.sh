#!/usr/bin/env bash
# Everything that the mini recipe needs, made on the spot: data.sh <audio-dir> <data-dir>
set -euo pipefail

audio=$1
data=$2
python=${python:-python}
scripts=$(dirname "$0")

"$python" "$scripts/prepare_mini_mos.py" --corpus "$audio" --output "$data"
"$python" "$scripts/make_whisper.py" --output dump/encoder/whisper_mini
