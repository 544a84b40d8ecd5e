#!/usr/bin/env bash
# Transcription of Spanish telephone calls and their translation into English with Fisher: narrow band alone.
#
#   ./run.sh --fisher-callhome /corpora/LDC

# shellcheck source=/dev/null disable=SC2034 # smoe.sh reads the options
set -euo pipefail
. "$(dirname "$0")/../TEMPLATE/smoe.sh"

fisher_callhome=    # the corpus: the folder with LDC2010S01, LDC2010T04 and fisher-callhome-corpus
allow_missing=false # go on without the calls that are missing
source_lang=es
target_lang=en
narrow_band=none    # what is there is narrow already
methods="base dec_ffn_x2 dec_smoe" # the encoder's experts by bandwidth would have nothing to choose from
vocabulary_size=8000
data_options="allow_missing"

smoe fisher_callhome "$@"
