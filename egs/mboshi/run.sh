#!/usr/bin/env bash
# Transcription of Mboshi, a Bantu language, and its translation into French: 4.4 hours of speech that anyone may have,
# and a model that two processor cores train.
#
#   ./run.sh --mboshi /corpora/mboshi-french-parallel-corpus

# shellcheck source=/dev/null disable=SC2034 # smoe.sh reads the options
set -euo pipefail
. "$(dirname "$0")/../TEMPLATE/smoe.sh"

mboshi=            # the corpus: a clone of github.com/besacier/mboshi-french-parallel-corpus
allow_missing=true # 78 of the published audio files are truncated; they are left out and listed
source_lang=mdw    # Mboshi in ISO 639-3
target_lang=fr
vocabulary_size=500
methods="base dec_ffn_x2 dec_smoe encdec_smoe learned_moe"
seeds="7 17"
nj=2
ngpu=0
data_options="allow_missing"

smoe mboshi "$@"
