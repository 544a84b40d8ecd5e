# shellcheck shell=bash
# Sourced by every recipe before its first stage: the environment of its jobs, installed when it is missing.

if [ -z "$python" ]; then
    "$MERIT_ROOT/tools/install.sh" --quiet
    python=$(sed -n 2p "$MERIT_ROOT/tools/venv/installed")
fi
export python               # for local/data.sh
export PYTHONUNBUFFERED=1   # logs are followed while they grow
# Threads that wait give their core away. Spinning, which is the default, takes it from those that are waited for when
# anything else runs on the machine, and slows recurrent layers down many times over.
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-PASSIVE}
# On a CPU every padded length makes kernels of its own, and oneDNN and PyTorch each keep 1024 of them: half a gigabyte
# for lengths that hardly ever return, scattered among freed tensors. A step uses about 90.
export ONEDNN_PRIMITIVE_CACHE_CAPACITY=${ONEDNN_PRIMITIVE_CACHE_CAPACITY:-128}
export LRU_CACHE_CAPACITY=${LRU_CACHE_CAPACITY:-128}
