#!/usr/bin/env bash
# Speech quality from a frozen encoder and a mixture of experts, on speech that espeak-ng speaks and a dozen
# degradations spoil on the spot, rated by simulated listeners: no download, minutes on two processor cores.
#
#   ./run.sh                                                    everything; what is done already is skipped
#   ./run.sh --seeds "7 17 27" --methods "moe_mos no_gate_losses plain_regression"

# shellcheck source=/dev/null disable=SC2034 # mos.sh reads the options
set -euo pipefail
. "$(dirname "$0")/../TEMPLATE/mos.sh"

mini_mos=downloads/mini_mos # where the speech is written
ssl=dump/encoder/whisper_mini # made by stage 1 with random weights
seeds="7 17 27"
nj=2
ngpu=0

mos mini_mos "$@"
