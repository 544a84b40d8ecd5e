#!/usr/bin/env bash
# CoVoST 2 as Kaldi data directories:
# data.sh <corpus> <data-dir> [--source_lang en] [--target_lang de] [--allow_missing true]
set -euo pipefail

"${python:-python}" "$(dirname "$0")/prepare_covost2.py" --corpus "$1" --output "$2" "${@:3}"
