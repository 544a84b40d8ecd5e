"""A recipe with a stand-in for Python: the stages of egs/TEMPLATE run in seconds and what they call is written down."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Stands in for Python: runs jobs on the spot, writes down the modules called and makes what they would have made. Plans
# are made, and settings read, by the real one.
PYTHON = (
    rf"""#!/usr/bin/env bash
set -euo pipefail
case $* in
"-m merit.bin.sparse_merit.plan "* | *--print_config*) PYTHONPATH='{ROOT}' exec '{sys.executable}' "$@" ;;
esac
"""
    + r"""
case $1 in *run_job.py)
    mkdir -p "$(dirname "$3")" # of its log
    echo "$*" >>jobs
    while [ "$1" != -- ]; do
        case $1 in --done+) done+=("$2") ;; --mark+) marks+=("$2") ;; --writes+) writes+=("$2") ;; esac
        shift
    done
    shift
    rm -f "${done[@]}"
    "$@"
    for path in ${writes[@]}; do [ -e "$path" ] || { echo "did not write $path" >&2 && exit 1; }; done
    for ((i = 0; i < ${#done[@]}; i++)); do
        mkdir -p "$(dirname "${done[i]}")"
        # One that another command has set meanwhile stays.
        [ -e "${done[i]}" ] || printf '%s\n%s\n' "${marks[i]}" "$$" >"${done[i]}"
    done
    exit
    ;;
esac
for argument in "$@"; do
    case $argument in *[[:space:]]*) argument="'$argument'" ;; esac # so that one is told from two
    call+="${call:+ }$argument"
done
echo "$call" >>calls
while [ $# -gt 0 ]; do
    case $1 in
    merit.bin.*) module=${1##*.} ;;
    --data) data=$2 ;;
    --part) part=$2 ;;
    --noise) noise=${2%%=*} ;;
    --snrs) snrs=${2//[\[\],]/ } ;;
    --output) output=$2 ;;
    --noisy) noisy=$2 ;;
    --emotion.seeds | --enhancement.seeds) seeds=${2//[\[\],]/ } ;;
    --emotion.output | --enhancement.output) for seed in $seeds; do outputs+=" ${2/\{seed\}/$seed}"; done ;;
    esac
    shift
done
[ ! -f "meanwhile_$module" ] || . "./meanwhile_$module"
[ ! -f fail ] || ! grep -qx "$module" fail || { echo "$module: no space"; exit 9; }
case $module in
mix_online) mkdir -p "${data}_$([ "$part" = train ] && echo online || echo drawn)" ;;
mix_noise) for snr in $snrs; do mkdir -p "${data}_${noise}_${snr}dB"; done ;;
validate_data_dir) ;;
waveform_statistics) touch "$data/waveform_stats.json" ;;
train_heads) for output in $outputs; do mkdir -p "$output" && touch "$output/model.safetensors"; done ;;
train_*) mkdir -p "$output" && touch "$output/model.safetensors" ;;
enhance_data) for set in ${data//[\[\],]/ }; do mkdir -p "$output/${set##*/}"; done ;;
compare) mkdir -p "$output"/{tables,figures} && touch "$output"/{RESULTS.md,report.html} ;;
dump_states) mkdir -p "$output" && touch "$output/header.json" ;;
decode) for set in ${data//[\[\],]/ }; do set=$output/${set##*/}; mkdir -p "$set" && touch "$set/decode.json"; done ;;
score)
    for set in ${data//[\[\],]/ }; do
        for to in "$output" "$noisy"; do mkdir -p "$to/${set##*/}"; done
        touch "$output/${set##*/}"/{emotion,enhancement}.csv "$noisy/${set##*/}/enhancement.csv"
    done
    ;;
report) printf '# Results\n\n## Scores\n\n| F1 |\n|---|\n| 0.5 |\n' >"$output" ;;
*) mkdir -p "$output" ;;
esac
"""
)

DATA = """#!/usr/bin/env bash
echo "local/data.sh '$1' $2" >>calls
mkdir -p data/{train,dev,test}
"""

STAGES = [
    ["local/data.sh"],
    ["validate_data_dir", "make_babble", *["mix_noise"] * 5],
    ["waveform_statistics", "dump_states", "dump_states"],
    ["train_heads", "train_heads"],
    ["train_joint"],
    ["decode", "score", "report"],
    ["probe_routing", "compare"],
]
EVERYTHING = sum(STAGES, [])


def python_with(modules: str) -> str:
    """The stand-in for Python, which makes what other modules would have made too: branches of a ``case`` in bash."""
    begin = "\ncase $module in\n"
    assert PYTHON.count(begin) == 1
    return PYTHON.replace(begin, begin + modules)


class Recipe:
    """A recipe beside the real TEMPLATE and utils, with stubs in place of local/data.sh and Python."""

    def __init__(self, root: Path, name: str, data: str, python: str) -> None:
        self.folder = root / "egs" / name
        self.python = root / "python"
        shutil.copytree(ROOT / "utils", root / "utils")
        shutil.copytree(ROOT / "egs/TEMPLATE", root / "egs/TEMPLATE")
        shutil.copytree(ROOT / "egs" / name / "conf", self.folder / "conf")
        shutil.copy(ROOT / "egs" / name / "run.sh", self.folder)
        (self.folder / "local").mkdir()
        for path, text in ((self.folder / "local/data.sh", data), (self.python, python)):
            path.write_text(text)
            path.chmod(0o755)

    def run(self, *options: str, python: bool = True) -> subprocess.CompletedProcess:
        """Run it from another working directory; without ``python`` with the Python of tools/install.sh."""
        command = [str(self.folder / "run.sh"), *(["--python", str(self.python)] if python else []), *options]
        return subprocess.run(command, cwd="/", capture_output=True, text=True)

    def calls(self) -> list[str]:
        """The command lines since the last time they were asked for."""
        path = self.folder / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines


def mini_recipe(root: Path) -> Recipe:
    """The mini recipe, training on stored mixtures and dumped states, as most recipes have it."""
    recipe = Recipe(root, "mini", DATA, PYTHON)
    script = recipe.folder / "run.sh"
    lines = script.read_text().splitlines(keepends=True)
    script.write_text("".join(line for line in lines if not line.startswith(("mix=", "feats=", "snr_train="))))
    for name in ("phase1_ser", "phase1_se", "phase2"):
        (recipe.folder / f"conf/{name}.yaml").write_text("training:\n  epochs: 1\n")
    return recipe


def modules(calls: list[str]) -> list[str]:
    return [
        call.partition("merit.bin.")[2].split()[0].split(".")[-1] if "merit.bin." in call else call.split()[0]
        for call in calls
    ]


def call_of(calls: list[str], *words: str) -> str:
    (found,) = [call for call in calls if all(word in call for word in words)]
    return found
