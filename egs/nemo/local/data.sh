#!/usr/bin/env bash
# nEMO as Kaldi data directories:
# data.sh <corpus> <data-dir> [--classes "angry happy neutral sad"] [--allow_missing true]
set -euo pipefail

"${python:-python}" "$(dirname "$0")/prepare_nemo.py" --corpus "$1" --output "$2" "${@:3}"
