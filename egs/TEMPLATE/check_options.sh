# shellcheck shell=bash disable=SC2154 # merit.sh declares the options, and refuse
# Names before work: options are checked before anything runs. Sourced by merit.sh.

check_whole() { # WHAT NUMBER: refused are what is none, and what bash or Python would take for another
    case $2 in
    "" | *[!0-9]*) refuse "$1, not '$2'" ;;
    0?*) refuse "${1%% *}: write '$2' without zeros in front" ;;
    ??????????*) refuse "$1 of at most nine digits, not '$2'" ;;
    esac
}

check_name() { # OPTION NAME: it becomes a part of files' names, which stand in lists
    case $2 in "" | [.-]* | *[!A-Za-z0-9._+-]*)
        refuse "$1: '$2' cannot be in a file's name here: letters, digits and . _ + - only, no . or - in front" ;;
    esac
}

check_once() { # OPTION "NAME...": none of them twice
    local name names=" "
    for name in $2; do
        case $names in *" $name "*) refuse "$1 names $name twice" ;; esac
        names+="$name "
    done
}

normalise_snrs() { # VARIABLE: its ratios become the numbers that Python names the mixed sets by, 5 for 5.0
    local snr number numbers=""
    for snr in ${!1}; do
        number=$(LC_ALL=C && printf %g "$snr" 2>/dev/null) || number=""
        case $snr:$number in *[!0-9.:eE+-]* | *: | *:*e+*)
            refuse "--${1//_/-}: '$snr' is no ratio in dB, as -5, 0 or 2.5" ;;
        esac
        [ "$number" != -0 ] || number=0
        numbers+="${numbers:+ }$number"
    done
    printf -v "$1" %s "$numbers"
}

check_options() { # every one but the noises, which follow from several
    local name words
    for name in methods seeds classes snrs_test noise_unseen; do # with single spaces, none in front
        read -r -d "" -a words <<<"${!name}" || true # it reads to the end, which counts as a failure
        printf -v "$name" %s "${words[*]-}"
    done
    case $feats in dump | features | online) ;; *) refuse "--feats is dump, features or online, not '$feats'" ;; esac
    case $composite in matlab | cmgan) ;; *) refuse "--composite is matlab or cmgan, not '$composite'" ;; esac
    case $backend in local | slurm) ;; *) refuse "--backend is local or slurm, not '$backend'" ;; esac
    case $dump_dtype in
    bfloat16 | float16) ;;
    *) refuse "--dump-dtype is bfloat16 or float16, not '$dump_dtype'" ;;
    esac
    case $orphan in wait | cancel) ;; *) refuse "--orphan is wait or cancel, not '$orphan'" ;; esac
    for name in stage stop_stage nj ngpu max_requeue; do
        check_whole "--${name//_/-} is a whole number" "${!name}"
    done
    for name in $seeds; do
        check_whole "--seeds are whole numbers" "$name"
    done
    [ -z "$enhancer_seed" ] || check_whole "--enhancer-seed is a whole number" "$enhancer_seed"
    [ -n "$seeds" ] && [ -n "$methods" ] || refuse "--methods and --seeds name at least one each"
    [ "$stage" -ge 1 ] && [ "$stage" -le "$stop_stage" ] && [ "$stop_stage" -le 7 ] ||
        refuse "no stages from $stage to $stop_stage; there are 1 to 7"
    [ "$nj" -ge 1 ] || refuse "--nj is at least 1"
    case $snr_train in "" | *" "*) refuse "--snr-train is one ratio, not '$snr_train'" ;; esac
    for name in snr_train snrs_test probe_snr; do
        normalise_snrs "$name"
    done
    [ -n "$snrs_test" ] || refuse "--snrs-test names none"
    for name in methods seeds classes snrs_test; do
        check_once "--${name//_/-}" "${!name}"
    done
    for name in $methods; do
        check_name --methods "$name"
    done
    [ -z "$tag" ] || check_name --tag "$tag"
    name=${ssl%/}
    check_name --ssl "${name##*/}"
    for name in babble_data se_pretrain; do
        case ${!name} in *[[:space:]]*) refuse "--${name//_/-}: '${!name}' has a space; lists are split there" ;; esac
    done
}

check_noises() { # every one is given as name=folder, and no two have one name
    local noise names=" "
    for noise in "$@"; do
        case $noise in ?*=?*) ;; *) refuse "noise '$noise' is not name=folder" ;; esac
        case ${noise%%=*} in *[!A-Za-z0-9.-]*)
            refuse "noise '${noise%%=*}' is named with other than letters, digits, . and -" ;;
        esac
        case $names in *" ${noise%%=*} "*) refuse "two noises are called ${noise%%=*}" ;; esac
        names+="${noise%%=*} "
    done
}
