#!/usr/bin/env bash
# Speech as Kaldi data directories:
# data.sh <data-dir> <voices: true|false> "<name=data directory ...>" "[<name=folder of audio ...>]"
set -euo pipefail

data=$1
read -r -a speech <<<"$3"
read -r -a folders <<<"${4:-}"
python=${python:-python}
scripts=$(dirname "$0")

listed() { # a b as the commands take it: [a,b]
    local IFS=,
    echo "[$*]"
}

if [ ${#folders[@]} -gt 0 ]; then
    "$python" "$scripts/prepare_folders.py" --folders "$(listed "${folders[@]}")" --output "$data/folders"
    for folder in "${folders[@]}"; do
        speech+=("${folder%%=*}=$data/folders/${folder%%=*}")
    done
fi
"$python" "$scripts/gather.py" --speech "$(listed ${speech[@]+"${speech[@]}"})" --voices "$2" --output "$data"
