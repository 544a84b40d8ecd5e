#!/usr/bin/env bash
# Transcription and translation of read speech with CoVoST 2, of any of its pairs of languages.
#
#   ./run.sh --covost2 /corpora/cv-corpus-4/en --source-lang en --target-lang de

# shellcheck source=/dev/null disable=SC2034 # smoe.sh reads the options
set -euo pipefail
. "$(dirname "$0")/../TEMPLATE/smoe.sh"

covost2=            # the corpus: the folder with validated.tsv, clips and covost_v2.<source>_<target>.tsv
allow_missing=false # go on without the files that are missing
source_lang=en
target_lang=de
data_options="source_lang target_lang allow_missing"

smoe covost2 "$@"
