#!/usr/bin/env bash
# Install MERIT and everything it needs, with the versions it was tested with (tools/constraints.txt).
#
#   tools/install.sh [--python P] [--venv DIR] [--index URL] [--active] [--quiet]
#
#   --python P   Python to make the environment with (3.10 to 3.13; default: the first such Python found)
#   --venv DIR   the environment, instead of tools/venv, which is the one that recipes and tests use
#   --index URL  a further package index; without a GPU, https://download.pytorch.org/whl/cpu saves several GB
#   --active     install into the environment that `python` belongs to now, instead of tools/venv
#   --quiet      say nothing when everything is installed already
#
# Running it again is immediate when nothing has changed, and completes an installation that was interrupted.
# pip's own settings (PIP_INDEX_URL, PIP_CACHE_DIR, ...) hold. Needs a C compiler: PESQ is built from source.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$root/tools/venv
python=
index=
active=false
quiet=false

fail() {
    printf 'tools/install.sh: %s\n' "$@" >&2
    exit 1
}

is_supported() {
    "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1
}

choose_python() {
    local candidate
    if [ -n "$python" ]; then
        is_supported "$python" || fail "$python is not a working Python 3.10, 3.11, 3.12 or 3.13"
        return
    fi
    for candidate in python3.11 python3.12 python3.13 python3.10 python3; do
        if is_supported "$candidate"; then
            python=$(command -v "$candidate")
            return
        fi
    done
    fail "found no Python 3.10, 3.11, 3.12 or 3.13; install one, or name it: tools/install.sh --python /path/to/python"
}

version_of() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

# The environment is of $python's version, and has pip, which an interrupted installation may have left out.
venv_fits() {
    "$venv/bin/python" -c "import pip, sys; sys.exit('%d.%d' % sys.version_info[:2] != '$(version_of "$python")')" \
        2>/dev/null
}

make_venv() {
    local version
    if venv_fits; then
        return
    fi
    version=$(version_of "$python")
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "$python cannot make virtual environments: its venv or ensurepip module is missing" \
            "on Debian or Ubuntu: apt install python$version-venv; elsewhere choose another Python with --python"
    echo "making $venv with $python ($version)"
    "$python" -m venv --clear "$venv"
}

while [ $# -gt 0 ]; do
    case $1 in
    --help | -h)
        sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
        exit 0
        ;;
    --active) active=true ;;
    --quiet) quiet=true ;;
    --python | --venv | --index)
        [ $# -ge 2 ] || fail "$1 needs a value"
        case $1 in --python) python=$2 ;; --venv) venv=$2 ;; --index) index=$2 ;; esac
        shift
        ;;
    *) fail "unknown option $1; --help lists them" ;;
    esac
    shift
done

case $venv in /*) ;; *) venv=$PWD/$venv ;; esac
stamp=$venv/installed # line 1: checksum of what was installed, line 2: the Python that has it

# The path counts, because an editable installation points to it.
checksum=$({ cat "$root/setup.py" "$root/tools/constraints.txt" && echo "$root"; } | cksum)
installed_python=
[ ! -f "$stamp" ] || installed_python=$(sed -n 2p "$stamp")
if [ -n "$installed_python" ] && [ $active = false ] &&
    { [ -z "$python" ] || { [ "$installed_python" = "$venv/bin/python" ] && venv_fits; }; }; then
    if [ -z "$index" ] && [ "$(sed -n 1p "$stamp")" = "$checksum" ] && [ -x "$installed_python" ]; then
        [ $quiet = true ] || echo "nothing to do: $installed_python has MERIT and everything it needs"
        exit 0
    fi
    # What has changed is installed where the rest is.
    if [ "$installed_python" != "$venv/bin/python" ] && is_supported "$installed_python"; then
        active=true
        python=$installed_python
    fi
fi

if [ $active = true ]; then
    [ -n "$python" ] || python=$(command -v python || command -v python3) || fail "found no python in PATH"
    is_supported "$python" || fail "$python is not a working Python 3.10, 3.11, 3.12 or 3.13"
    python=$("$python" -c 'import sys; print(sys.executable)')
else
    if [ -n "$python" ] || ! is_supported "$venv/bin/python" || ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
        choose_python
        make_venv
    fi
    python=$venv/bin/python
fi
"$python" -c 'import pesq' 2>/dev/null || command -v "${CC:-cc}" >/dev/null || command -v gcc >/dev/null ||
    fail "found no C compiler, and PESQ is built from source" \
        "on Debian or Ubuntu: apt install build-essential python3-dev; on macOS: xcode-select --install"

rm -f "$stamp"
echo "installing MERIT with $python; PyTorch and its CUDA libraries take some minutes and up to 6 GB"
set -- "$python" -m pip install --constraint "$root/tools/constraints.txt" --editable "${root}[test]"
[ -z "$index" ] || set -- "$@" --extra-index-url "$index"
echo "$*"
"$@" || fail "pip could not install everything (its reason is above); run tools/install.sh again when that is mended"

mkdir -p "$venv"
printf '%s\n%s\n' "$checksum" "$python" >"$stamp.tmp"
mv "$stamp.tmp" "$stamp"
echo "installed; $python tools/check_install.py shows what works"
