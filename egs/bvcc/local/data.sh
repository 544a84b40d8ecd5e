#!/usr/bin/env bash
# BVCC, the main track of the VoiceMOS Challenge 2022, as rated sets:
# data.sh <corpus> <data-dir> [--allow_missing true]
set -euo pipefail

"${python:-python}" "$(dirname "$0")/prepare_bvcc.py" --corpus "$1" --output "$2" "${@:3}"
