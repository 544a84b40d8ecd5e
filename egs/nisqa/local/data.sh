#!/usr/bin/env bash
# NISQA, speech over simulated and real channels, as rated sets:
# data.sh <corpus> <data-dir> [--allow_missing true]
set -euo pipefail

"${python:-python}" "$(dirname "$0")/prepare_nisqa.py" --corpus "$1" --output "$2" "${@:3}"
