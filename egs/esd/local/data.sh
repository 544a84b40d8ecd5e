#!/usr/bin/env bash
# The Emotional Speech Dataset as Kaldi data directories:
# data.sh <corpus> <data-dir> [--classes "angry happy neutral sad"] [--languages english] [--disjoint_sentences true]
#     [--allow_missing true]
set -euo pipefail

"${python:-python}" "$(dirname "$0")/prepare_esd.py" --corpus "$1" --output "$2" "${@:3}"
