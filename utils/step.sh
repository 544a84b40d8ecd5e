# shellcheck shell=bash disable=SC2154 # python and MERIT_ROOT are set by the script that sources this
# One step of a stage, to be sourced:
#
#     step NAME [--reads "FILE..."] [--but REGEX] [--writes "PATH..."] [options of utils/run_job.py] -- COMMAND...
#
# runs COMMAND as a job with its log in NAME.log, which notes in NAME.done what it was run with. The step is skipped when
# all that is named under --writes exists and neither COMMAND nor the contents of the files under --reads, lines that
# match --but aside, have changed since. A step that follows reads the NAME.done of this one, so that it runs again
# whenever this one did. While another script is at the same step, this one waits, and skips what that one has done.

say() {
    printf '%s %s\n' "$(date '+%Y-%m-%d %H:%M:%S')" "$*" >&2
}

checksum() { # "FILE..." REGEX COMMAND...: of a command line and of the contents of files but for the lines that match
    local file reads=$1 but=$2
    shift 2
    [ "$1" != "$python" ] || shift # whichever Python it is
    {
        # The number of processes changes nothing in the result.
        printf '%s\n' "$@" | sed -e '/^--nj$/{' -e N -e d -e '}'
        for file in $reads; do # a list of names and patterns
            if [ -n "$but" ] && [ -f "$file" ]; then
                printf '%s %s\n' "$(LC_ALL=C sed -E "/$but/d" "$file" | cksum)" "$file"
            else
                cksum "$file" 2>/dev/null || echo "$file is missing"
            fi
        done
    } | cksum
}

is_done() { # NAME CHECKSUM "PATH...": the step was done with this checksum, and what it wrote is there
    local path
    for path in $3; do
        [ -e "$path" ] || return 1
    done
    [ "$(head -n 1 "$1.done" 2>/dev/null)" = "$2" ] || return 1
    say "$1: done before, nothing has changed"
}

run_job() { # NAME [options of utils/run_job.py] -- COMMAND...
    say "$1: running, log in $1.log"
    "$python" "$MERIT_ROOT/utils/run_job.py" --log "$1.log" "${@:2}"
}

step() {
    local name=$1 reads="" but="" writes="" sum options=()
    shift
    while [ "$1" != -- ]; do
        case $1 in
        --reads) reads=$2 ;;
        --but) but=$2 ;;
        --writes) writes=$2 ;;
        *) options+=("$1" "$2") ;;
        esac
        shift 2
    done
    sum=$(checksum "$reads" "$but" "${@:2}")
    is_done "$name" "$sum" "$writes" ||
        run_job "$name" ${options[@]+"${options[@]}"} --done+ "$name.done" --mark+ "$sum" --writes+ "$writes" "$@"
}
