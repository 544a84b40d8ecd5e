#!/usr/bin/env bash
# Speech quality on SOMOS, neural speech synthesis.
#
#   ./run.sh --somos /corpora/somos

# shellcheck source=/dev/null disable=SC2034 # mos.sh reads the options
set -euo pipefail
. "$(dirname "$0")/../TEMPLATE/mos.sh"

somos=                  # the corpus: the folder with training_files and audios
allow_missing=false     # go on without the files that are missing
ratings_of=clean        # ratings of listeners who passed the checks: clean; of all: full
data_options="ratings_of allow_missing"

mos somos "$@"
