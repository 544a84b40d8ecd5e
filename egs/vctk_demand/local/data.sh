#!/usr/bin/env bash
# VCTK-DEMAND as Kaldi data directories:
# data.sh <corpus> <data-dir> [--train_sets 28spk] [--dev_speakers "p226 p287"] [--allow_missing true]
set -euo pipefail

"${python:-python}" "$(dirname "$0")/prepare_vctk_demand.py" --corpus "$1" --output "$2" "${@:3}"
