#!/usr/bin/env bash
# Run the tests, after installing what is missing:
#
#   tests/run.sh [--python P] [options of pytest] [tests, relative to the repository]
#
#   --python P   use that Python, in an environment of its own (tools/venv-3.12 for a Python 3.12), which is kept
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$root/tools/venv
if [ "${1:-}" = --python ]; then
    version=$("${2:-}" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || {
        echo "tests/run.sh: --python '${2:-}' is not a working Python" >&2
        exit 2
    }
    venv=$root/tools/venv-$version
    "$root/tools/install.sh" --quiet --venv "$venv" --python "$2"
    shift 2
else
    "$root/tools/install.sh" --quiet
fi
cd "$root"
export HF_HUB_OFFLINE=1                                             # no test needs the network
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1   # tiny tensors: threads only get in each other's way
exec "$(sed -n 2p "$venv/installed")" -m pytest -o testpaths=tests "$@"
