#!/usr/bin/env bash
# AudioMOS 2025, track 3: synthetic speech at 16, 24 and 48 kHz, the task of the paper, as rated sets:
# data.sh <corpus> <data-dir> [--synthetic VALUE] [--allow_missing true]
set -euo pipefail

"${python:-python}" "$(dirname "$0")/prepare_audiomos2025_t3.py" --corpus "$1" --output "$2" "${@:3}"
