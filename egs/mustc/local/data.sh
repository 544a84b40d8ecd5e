#!/usr/bin/env bash
# MuST-C as Kaldi data directories: data.sh <corpus> <data-dir> [--target_lang de] [--allow_missing true]
set -euo pipefail

"${python:-python}" "$(dirname "$0")/prepare_mustc.py" --corpus "$1" --output "$2" "${@:3}"
