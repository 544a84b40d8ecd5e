# shellcheck shell=bash disable=SC2034,SC2154 # merit.sh sets what is read here and reads what is set
# Noises by their names, and stage 2, which mixes with them. Sourced by merit.sh, whose options and names the functions
# read; noise.md says where noise comes from.

# What the options on noise mean: seen, the noises of training, each as name=folder; seen_names and unseen_names; and
# babble_done, which marks the babble that is made here, where a noise is plain babble.
name_noises() {
    local noise name heard=("$noise_seen")
    if [ "$mix" = online ]; then
        noise_train=${noise_train:-$noise_seen}
        read -r -a heard <<<"$noise_train"
    fi
    for noise in ${heard[@]+"${heard[@]}"}; do
        name=${noise%%=*}
        [ "$mix" = stored ] || name=${name%%@*} # its weight
        if [ "$name" = babble ] && [ "${noise#*=}" = "$noise" ]; then
            noise=babble=dump/noise/babble
            babble_done=dump/log/babble.done
        fi
        seen_names+=${seen_names:+ }$name
        case $noise in *=*) seen+=("$name=${noise#*=}") ;; *) seen+=("$noise") ;; esac
    done
    for noise in $noise_unseen; do
        unseen_names+=${unseen_names:+ }${noise%%=*}
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

check_mixing() { # that what is mixed while it is read can be trained on; what is drawn is checked with the plan
    check_choice --mix "$mix" stored online
    check_whole "--babble-talkers is a whole number" "$babble_talkers"
    [ "$babble_talkers" -ge 1 ] || refuse "--babble-talkers is at least 1"
    [ "$mix" = online ] || return 0
    [ "$mixed" = false ] || refuse "--mix online: this recipe's data preparation makes noisy sets of its own"
    [ "$feats" != dump ] || refuse "--mix online hears no states twice, so add --feats online or --feats features"
}

make_babble() { # talkers of babble_data, where a noise is plain babble
    local talkers=()
    [ "$babble_talkers" -eq 4 ] || talkers=(--talkers "$babble_talkers")
    if [ -n "$babble_done" ]; then
        step dump/log/babble --reads "dump/log/validate.done $babble_data/*" --writes dump/noise/babble \
            "${prepare_job[@]}" -- "$python" -m merit.bin.make_babble --data "$babble_data" \
            --output dump/noise/babble ${talkers[@]+"${talkers[@]}"}
    fi
}

mix_train_and_dev() { # at one ratio, both as they are then read
    local set name
    for set in train dev; do
        name=$(planned "$set")
        step "dump/log/$name" --reads "dump/log/validate.done $babble_done" --writes "data/$name" \
            "${prepare_job[@]}" -- \
            "$python" -m merit.bin.mix_noise --data "data/$set" --noise "${seen[0]}" --part "$set" \
            --snrs "$(list "$(planned snr_train)")" ${rir:+--rir "$rir"} --nj "$nj"
    done
}

draw_train_and_dev() { # training says what is drawn from, in every epoch anew; dev is drawn once
    local set name options=(--noises "$(list "$noise_train")" --snr="$(planned snr_train)" --gain="$gain_train")
    options+=(--babble_data "$babble_data" --talkers "$babble_talkers" --telephone_share "$telephone_share")
    [ -z "$rir" ] || options+=(--rir "$rir" --rir_share "$rir_share")
    for set in train dev; do
        name=$(planned "$set")
        step "dump/log/$name" --reads "dump/log/validate.done $babble_done" --writes "data/$name" \
            "${prepare_job[@]}" -- \
            "$python" -m merit.bin.mix_online --data "data/$set" --part "$set" "${options[@]}" --nj "$nj"
    done
}

mix_tests() { # NOISE...: every noise at every ratio of the test
    local noise fractions
    for noise in "$@"; do
        # All files of a noise that training never hears are there to test with, unless it has a part for that.
        fractions="[0,0,1]"
        case " $seen_names " in *" ${noise%%=*} "*) fractions="[0.8,0.1,0.1]" ;; esac
        # shellcheck disable=SC2046 # a list
        step "dump/log/test_${noise%%=*}" --reads "dump/log/validate.done $babble_done" \
            --writes "$(in_folder data $(planned tests "${noise%%=*}"))" "${prepare_job[@]}" -- \
            "$python" -m merit.bin.mix_noise --data data/test --noise "$noise" --part test \
            --snrs "$(list "$(planned snrs_test)")" --fractions "$fractions" ${rir:+--rir "$rir"} --nj "$nj"
    done
}

mix_noises() { # stage 2: babble, the noisy training, dev and test sets
    make_babble
    if [ "$mix" = online ]; then
        draw_train_and_dev
    else
        mix_train_and_dev
    fi
    # shellcheck disable=SC2086 # a list
    mix_tests "${seen[@]}" $noise_unseen
}
