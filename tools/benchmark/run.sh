#!/usr/bin/env bash
# Measure MERIT side by side with the plain ways of doing the same, after installing what is missing.
#
#   tools/benchmark/run.sh [--device cpu|cuda] [NAME...]
#
# NAME: attention experts phase2_step phase1 shards batching mixing scoring bf16 memory smoe; all of them by default.
# mixing compares with audiomentations where the environment has it (tools/venv/bin/python -m pip install it).
# Prints one line a row, tab-separated: name, figure, unit, target, met | short | not measured. Rows that need a GPU are
# "not measured" with --device cpu, the default. What came out so far is in tools/benchmark/RESULTS.md.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
names=(attention experts phase2_step phase1 shards batching mixing scoring bf16 memory smoe)
device=cpu

fail() {
    echo "tools/benchmark/run.sh: $1" >&2
    exit 2
}

chosen=()
while [ $# -gt 0 ]; do
    case $1 in
    --device)
        case ${2:-} in cpu | cuda) device=$2 ;; *) fail "--device is cpu or cuda, not '${2:-}'" ;; esac
        shift
        ;;
    --help | -h)
        sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        exit
        ;;
    *)
        case " ${names[*]} " in *" $1 "*) chosen+=("$1") ;; *) fail "no benchmark '$1'; there are ${names[*]}" ;; esac
        ;;
    esac
    shift
done
[ ${#chosen[@]} -gt 0 ] || chosen=("${names[@]}")

"$here/../install.sh" --quiet >&2
python=$(sed -n 2p "$here/../venv/installed")
export HF_HUB_OFFLINE=1
for name in "${chosen[@]}"; do
    "$python" "$here/$name.py" --device "$device"
done
