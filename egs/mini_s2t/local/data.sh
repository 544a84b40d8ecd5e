#!/usr/bin/env bash
# The corpus that the mini recipe makes on the spot: data.sh <audio-dir> <data-dir>
set -euo pipefail

"${python:-python}" "$(dirname "$0")/prepare_mini_s2t.py" --corpus "$1" --output "$2"
