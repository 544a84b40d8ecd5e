# shellcheck shell=bash disable=SC2154 # python and MERIT_ROOT are set by the script that sources this
# One step of a stage, to be sourced:
#
#     step NAME [--reads "FILE..."] [--writes "PATH..."] [options of utils/run_job.py] -- COMMAND...
#
# runs COMMAND as a job with its log in NAME.log, which notes in NAME.done what it was run with. The step is skipped when
# all that is named under --writes exists and neither COMMAND nor the contents of the files under --reads have changed
# since. A step that follows reads the NAME.done of this one, so that it runs again whenever this one did. While another
# script is at the same step, this one waits, and skips what that one has done.

say() {
    printf '%s %s\n' "$(date '+%Y-%m-%d %H:%M:%S')" "$*" >&2
}

# Checksum of a command line and of the contents of files: checksum "FILE..." COMMAND...
checksum() {
    local file reads=$1
    shift
    [ "$1" != "$python" ] || shift # whichever Python it is
    {
        # The number of processes changes nothing in the result.
        printf '%s\n' "$@" | sed -e '/^--nj$/{' -e N -e d -e '}'
        for file in $reads; do # a list of names and patterns
            cksum "$file" 2>/dev/null || echo "$file is missing"
        done
    } | cksum
}

step() {
    local name=$1 reads="" writes="" path sum
    shift
    local job=("$python" "$MERIT_ROOT/utils/run_job.py" --log "$name.log")
    while [ "$1" != -- ]; do
        case $1 in
        --reads) reads=$2 ;;
        --writes) writes=$2 ;;
        *) job+=("$1" "$2") ;;
        esac
        shift 2
    done
    shift
    sum=$(checksum "$reads" "$@")
    local unchanged=true
    for path in $writes; do
        [ -e "$path" ] || unchanged=false
    done
    if [ $unchanged = true ] && [ -f "$name.done" ] && [ "$(head -n 1 "$name.done")" = "$sum" ]; then
        say "$name: done before, nothing has changed"
        return
    fi
    say "$name: running, log in $name.log"
    "${job[@]}" --done "$name.done" --mark "$sum" --writes "$writes" -- "$@"
}
