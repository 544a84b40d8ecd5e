#!/usr/bin/env bash
# TMHINT-QI, noisy and enhanced Mandarin, as rated sets:
# data.sh <corpus> <data-dir> [--allow_missing true]
set -euo pipefail

"${python:-python}" "$(dirname "$0")/prepare_tmhint_qi.py" --corpus "$1" --output "$2" "${@:3}"
