#!/usr/bin/env bash
# The Mboshi-French parallel corpus as Kaldi data directories: data.sh <corpus> <data-dir> [--allow_missing true]
set -euo pipefail

"${python:-python}" "$(dirname "$0")/prepare_mboshi.py" --corpus "$1" --output "$2" "${@:3}"
