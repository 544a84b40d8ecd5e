#!/usr/bin/env bash
# Speech quality on real listeners: the reference conditions of microsoft/P.808 with P.835 ratings of overall quality,
# speech and background, 156 clips in a five-fold cross-validation by condition.
#
#   git clone https://github.com/microsoft/P.808.git
#   ./run.sh --p835 P.808                          overall quality
#   ./run.sh --p835 P.808 --scale sig --work sig   speech, in a folder of its own

# shellcheck source=/dev/null disable=SC2034 # mos.sh reads the options
set -euo pipefail
. "$(dirname "$0")/../TEMPLATE/mos.sh"

p835=                 # clone of github.com/microsoft/P.808
scale=ovrl            # what is predicted: ovrl (overall quality), sig (speech) or bak (background)
allow_missing=false   # go on without the files that are missing
ssl=openai/whisper-base
seeds="7 17 27"
folds="fold1 fold2 fold3 fold4 fold5"
oracle=
others="Training-mean=data/baselines/mean.csv PESQ=data/baselines/pesq.csv Other-test=data/baselines/other_test.csv"
data_options="scale allow_missing"

mos p835 "$@"
