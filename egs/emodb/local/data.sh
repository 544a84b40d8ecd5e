#!/usr/bin/env bash
# EmoDB as Kaldi data directories: data.sh <corpus> <data-dir>
set -euo pipefail

corpus=$1
data=$2
python=${python:-python}

"$python" local/prepare_emodb.py --corpus "$corpus" --output "$data"
