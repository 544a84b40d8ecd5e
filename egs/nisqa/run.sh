#!/usr/bin/env bash
# Speech quality on NISQA, speech over simulated and real channels.
#
#   ./run.sh --nisqa /corpora/NISQA_Corpus

# shellcheck source=/dev/null disable=SC2034 # mos.sh reads the options
set -euo pipefail
. "$(dirname "$0")/../TEMPLATE/mos.sh"

nisqa=                  # the corpus: the folder with NISQA_TRAIN_SIM and the others
allow_missing=false     # go on without the files that are missing
oracle=                 # the conditions of the test are in no other set
data_options="allow_missing"

mos nisqa "$@"
