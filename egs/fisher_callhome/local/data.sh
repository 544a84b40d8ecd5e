#!/usr/bin/env bash
# Fisher and CALLHOME Spanish as Kaldi data directories: data.sh <corpus> <data-dir> [--allow_missing true]
set -euo pipefail

"${python:-python}" "$(dirname "$0")/prepare_fisher_callhome.py" --corpus "$1" --output "$2" "${@:3}"
