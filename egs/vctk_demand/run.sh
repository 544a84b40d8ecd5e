#!/usr/bin/env bash
# Speech enhancement on VCTK-DEMAND (also called VoiceBank-DEMAND), which comes with its noise: the model that the
# enhancement of the other recipes begins with.
#
#   ./run.sh --vctk-demand /corpora/VCTK-DEMAND
#   cd ../emodb && ./run.sh --emodb /corpora/emodb --methods "se_only se_p" --se-pretrain ../vctk_demand/exp/se_only-7

# shellcheck source=/dev/null disable=SC2034 # merit.sh reads the options
set -euo pipefail
. "$(dirname "$0")/../TEMPLATE/merit.sh"

vctk_demand=             # the corpus: the folder that holds noisy_trainset_28spk_wav, noisy_testset_wav and the clean ones
train_sets=28spk         # training speakers: 28spk, 56spk or "28spk 56spk"
dev_speakers="p226 p287" # those of them that make the dev set
allow_missing=false      # go on without pairs that are missing, damaged or of different lengths
data_options="train_sets dev_speakers allow_missing"
mixed=true
methods=se_only

merit vctk_demand "$@"
