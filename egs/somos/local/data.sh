#!/usr/bin/env bash
# SOMOS, neural speech synthesis, as rated sets:
# data.sh <corpus> <data-dir> [--ratings_of VALUE] [--allow_missing true]
set -euo pipefail

"${python:-python}" "$(dirname "$0")/prepare_somos.py" --corpus "$1" --output "$2" "${@:3}"
