#!/usr/bin/env bash
# Prepare a noise corpus (egs/TEMPLATE/noise.md): utils/prepare_noise.sh CORPUS SOURCE OUTPUT [--without FOLDER]
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
if [ $# -lt 3 ]; then
    sed -n '2s/^# //p' "$0"
    exit 2
fi
"$root/tools/install.sh" --quiet
exec "$(sed -n 2p "$root/tools/venv/installed")" -m merit.bin.prepare_noise \
    --corpus "$1" --source "$2" --output "$3" "${@:4}"
