#!/usr/bin/env bash
# The clips of microsoft/P.808 with P.835 ratings, in five folds:
# data.sh <clone> <data-dir> [--scale ovrl] [--allow_missing true]
set -euo pipefail

"${python:-python}" "$(dirname "$0")/prepare_p835.py" --corpus "$1" --output "$2" "${@:3}"
