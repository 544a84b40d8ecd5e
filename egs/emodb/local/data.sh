#!/usr/bin/env bash
# EmoDB as Kaldi data directories: data.sh <corpus> <data-dir> [--classes "angry happy neutral sad"]
set -euo pipefail

"${python:-python}" "$(dirname "$0")/prepare_emodb.py" --corpus "$1" --output "$2" "${@:3}"
