#!/usr/bin/env bash
# Speech quality on AudioMOS 2025, track 3: synthetic speech at 16, 24 and 48 kHz, the task of the paper.
#
#   ./run.sh --audiomos2025-t3 /corpora/post_eval_distro --synthetic /corpora/commercial_tts

# shellcheck source=/dev/null disable=SC2034 # mos.sh reads the options
set -euo pipefail
. "$(dirname "$0")/../TEMPLATE/mos.sh"

audiomos2025_t3=        # the corpus: the folder with sysMap.txt, wav, train, val and test
allow_missing=false     # go on without the files that are missing
synthetic=              # folder with a sub-folder of clips for each further synthesiser, for the classification
data_options="synthetic allow_missing"

mos audiomos2025_t3 "$@"
