#!/usr/bin/env bash
# Run the tests, after installing what is missing: tests/run.sh [options of pytest] [tests, relative to the repository]
set -euo pipefail

cd "$(dirname "$0")/.."
tools/install.sh --quiet
export HF_HUB_OFFLINE=1                                             # no test needs the network
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1   # tiny tensors: threads only get in each other's way
exec "$(sed -n 2p tools/venv/installed)" -m pytest -o testpaths=tests "$@"
