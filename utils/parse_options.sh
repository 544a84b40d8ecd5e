# shellcheck shell=bash
# Command line options of a script, to be sourced after its variables have been declared:
#
#     nj=4    # parallel processes
#     . utils/parse_options.sh
#
# Every `name=value` at the start of a line above that point (and, inside a function, above its call) is an option
# `--name value`; `--a-b` is the same as `--a_b`. The text behind `  # ` explains it in `--help`, which begins with the
# comment at the head of the script. A variable declared as true or false takes nothing else. `--config FILE` sources
# FILE before the other options. Whatever follows the first word that is no option is left in "$@".

_options_fail() {
    printf '%s: %s\n' "$0" "$1" >&2
    printf '%s --help lists all options\n' "$0" >&2
    exit 2
}

_declarations= # of the script that was called, then of those it has sourced
for ((_level = ${#BASH_SOURCE[@]} - 1; _level > 0; _level--)); do
    _declarations+=$(head -n "$((BASH_LINENO[_level - 1] - 1))" "${BASH_SOURCE[_level]}" |
        sed -n '/^[a-z][a-z0-9_]*=/p')$'\n'
done
# A name declared twice keeps its first place and the first explanation found; awk's output is `name explanation`.
_options=$(printf '%s' "$_declarations" | awk '
    /^$/ { next }
    { name = text = $0; sub(/=.*/, "", name); if (!sub(/^.*[ \t]# */, "", text)) text = "" }
    !(name in explanation) { order[++count] = name }
    explanation[name] == "" { explanation[name] = text }
    END { for (i = 1; i <= count; i++) print order[i], explanation[order[i]] }')

_is_option() {
    case $'\n'$_options in *$'\n'"$1 "*) ;; *) return 1 ;; esac
}

_print_help() {
    local name explanation value
    awk 'NR > 1 && !/^#/ { exit } NR > 1 { sub(/^# ?/, ""); print }' "$0"
    printf '\nOptions and their defaults:\n'
    while read -r name explanation; do
        value=${!name}
        case $value in "" | *" "*) value="\"$value\"" ;; esac
        printf '  %-38s  %s\n' "--${name//_/-} $value" "$explanation"
    done <<<"$_options"
    printf '  %-38s  %s\n' "--config FILE" "file with such variables (name=value lines), read before the other options"
}

_booleans=
while read -r _name _; do
    case ${!_name} in true | false) _booleans+=" $_name" ;; esac
done <<<"$_options"

for ((_index = 1; _index < $#; _index++)); do
    [ "${!_index}" = --config ] || continue
    _next=$((_index + 1))
    _file=${!_next}
    [ -f "$_file" ] || _options_fail "--config $_file: no such file"
    while IFS= read -r _name; do
        _is_option "$_name" || _options_fail "$_file: $_name is not an option"
    done < <(sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1/p' "$_file")
    case $_file in /*) ;; *) _file=./$_file ;; esac
    # shellcheck disable=SC1090 # which file is the user's choice
    . "$_file"
done

while [ $# -gt 0 ]; do
    case $1 in
    --help | -h)
        _print_help
        exit 0
        ;;
    --) # the rest are no options
        shift
        break
        ;;
    --*=*) _options_fail "write '${1%%=*} ${1#*=}' instead of '$1'" ;;
    --*) ;;
    *) break ;;
    esac
    _name=${1#--}
    _name=${_name//-/_}
    [ "$_name" = config ] || _is_option "$_name" || _options_fail "unknown option $1"
    [ $# -ge 2 ] || _options_fail "$1 needs a value"
    [ "$_name" = config ] || eval "$_name=\$2" # a name that was declared, so nothing else can be run here
    shift 2
done

for _name in $_booleans; do
    case ${!_name} in
    true | false) ;;
    *) _options_fail "--$_name is true or false, not '${!_name}'" ;;
    esac
done
unset _declarations _level _options _booleans _index _next _file _name
