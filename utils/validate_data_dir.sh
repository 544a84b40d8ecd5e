#!/usr/bin/env bash
# Check Kaldi data directories and show their offending lines: utils/validate_data_dir.sh DIR... [--audio true]
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
directories=
while [ $# -gt 0 ]; do
    case $1 in -*) break ;; esac
    directories+=${directories:+,}$1
    shift
done
if [ -z "$directories" ]; then
    sed -n '2s/^# //p' "$0"
    exit 2
fi
"$root/tools/install.sh" --quiet
exec "$(sed -n 2p "$root/tools/venv/installed")" -m merit.bin.validate_data_dir --data "[$directories]" "$@"
