#!/usr/bin/env bash
# Transcription and translation of wide-band and telephone speech, on sentences of a toy grammar that espeak-ng speaks
# and rules translate: no download, minutes on two processor cores.
#
#   ./run.sh                                             everything; what is done already is skipped
#   ./run.sh --seeds "7 17" --methods "base dec_ffn_x2 dec_smoe encdec_smoe learned_moe upcycled"

# shellcheck source=/dev/null disable=SC2034 # smoe.sh reads the options
set -euo pipefail
. "$(dirname "$0")/../TEMPLATE/smoe.sh"

mini_s2t=downloads/mini_s2t # where the speech is written
target_lang=fr
vocabulary_size=400
methods="encdec_smoe"
nj=2
ngpu=0

smoe mini_s2t "$@"
