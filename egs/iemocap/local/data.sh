#!/usr/bin/env bash
# IEMOCAP as Kaldi data directories:
# data.sh <corpus> <data-dir> [--classes "angry happy neutral sad"] [--fold 1] [--merge_excited true]
#     [--allow_missing true]
set -euo pipefail

"${python:-python}" "$(dirname "$0")/prepare_iemocap.py" --corpus "$1" --output "$2" "${@:3}"
