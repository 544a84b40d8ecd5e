# shellcheck shell=bash source=/dev/null disable=SC2034,SC2154 # common.sh, training.sh and cmd.sh set and read variables
# The stages of Sparse MERIT. A run.sh sources this file, changes the options below and in common.sh that its corpus
# needs changed, declares options of its own, and calls `merit CORPUS "$@"`; CORPUS is the name of the option with the
# corpus's path. All paths are relative to the recipe's directory, or to --work.

stage=1                    # first stage to run: 1 data, 2 noise, 3 states, 4 phase 1, 5 phase 2, 6 scores, 7 tables
stop_stage=7               # last stage to run
classes="angry happy neutral sad"  # emotions in the order of the model's outputs
noise_seen=babble          # noise of training and test, as name=folder; plain babble is made from babble_data
noise_unseen=              # noises of the test alone, as "name=folder name=folder"
babble_data=data/train     # speech that the babble is made of; an utterance never talks in its own noise
mixed=false                # data preparation makes noisy sets with clean references; stage 2 mixes nothing
rir=                       # folder of room impulse responses for the speech, before noise is added; empty: none
snr_train=5                # signal-to-noise ratio in training, dB
snrs_test="-5 0 5 10"      # signal-to-noise ratios in the test, dB
ssl=microsoft/wavlm-large  # encoder: transformers directory, hub name, or an original WavLM .pt file
feats=dump                 # states in phase 1: dump (WavLM Large: 9.2 GB an hour), features (0.2 GB), online (no disk)
dump_dtype=bfloat16        # how they are stored: bfloat16 or float16
methods=sparse_merit       # methods to train and compare, each a conf/<method>.yaml here or in ../TEMPLATE/conf
enhancer=se_only           # the method that enhances for those that hear enhanced speech
enhancer_seed=             # its seed; empty: the first of seeds
se_pretrain=               # model that the enhancer's training begins with, as ../vctk_demand/exp/se_only-7
probe_snr=0                # stage 7 tries other experts than the gates' at this SNR of the test; empty: at all
composite=matlab           # composite scores: matlab, or cmgan to compare with the paper's Table II
data_options=classes       # names of the options that local/data.sh gets as well

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$MERIT_ROOT/egs/TEMPLATE/training.sh"

check_options() { # those that are not common; what a plan is made of is checked with the plan
    local name
    check_choice --feats "$feats" dump features online
    check_choice --composite "$composite" matlab cmgan
    check_choice --dump-dtype "$dump_dtype" bfloat16 float16
    [ -z "$enhancer_seed" ] || check_whole "--enhancer-seed is a whole number" "$enhancer_seed"
    [ -n "$seeds" ] && [ -n "$methods" ] || refuse "--methods and --seeds name at least one each"
    check_once --methods "$methods"
    check_once --classes "$classes"
    for name in $methods; do
        check_name --methods "$name"
    done
    name=${ssl%/}
    check_name --ssl "${name##*/}"
    check_no_space --babble-data "$babble_data"
    check_no_space --se-pretrain "$se_pretrain"
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

make_plan() { # NAME OF THE SEEN NOISE, "OF THE OTHERS": what follows from the methods' files and the noises
    "$python" -m merit.bin.sparse_merit.plan --methods="$methods" --seeds="$seeds" --own="$recipe/conf" \
        --common="$template/conf" --enhancer="$enhancer" --enhancer_seed="$enhancer_seed" \
        --se_pretrain="$se_pretrain" --noise_seen="$1" --noise_unseen="$2" --snr_train="$snr_train" \
        --snrs_test="$snrs_test" --probe_snr="$probe_snr"
}

planned() { # what the plan says: planned speech se_p
    local question answer
    while IFS=$'\t' read -r question answer; do
        [ "$question" != "$*" ] || { echo "$answer" && return; }
    done <<<"$plan"
    echo "the plan says nothing of '$*'" >&2
    return 1
}

mix_noises() { # stage 2: babble, the noisy training, dev and test sets, of SEEN and the other noises: SEEN NOISE...
    local seen=$1 set noise name fractions
    if [ -n "$babble_done" ]; then
        step dump/log/babble --reads "dump/log/validate.done $babble_data/*" --writes "${seen#*=}" \
            "${prepare_job[@]}" -- "$python" -m merit.bin.make_babble --data "$babble_data" --output "${seen#*=}"
    fi
    for set in train dev; do
        name=$(planned "$set")
        step "dump/log/$name" --reads "dump/log/validate.done $babble_done" --writes "data/$name" "${prepare_job[@]}" -- \
            "$python" -m merit.bin.mix_noise --data "data/$set" --noise "$seen" --part "$set" \
            --snrs "$(list "$(planned snr_train)")" ${rir:+--rir "$rir"} --nj "$nj"
    done
    for noise in "$@"; do
        # All files of a noise that training never hears are there to test with, unless it has a part for that.
        fractions="[0,0,1]"
        [ "$noise" != "$seen" ] || fractions="[0.8,0.1,0.1]"
        # shellcheck disable=SC2046 # a list
        step "dump/log/test_${noise%%=*}" --reads "dump/log/validate.done $babble_done" \
            --writes "$(in_folder data $(planned tests "${noise%%=*}"))" "${prepare_job[@]}" -- \
            "$python" -m merit.bin.mix_noise --data data/test --noise "$noise" --part test \
            --snrs "$(list "$(planned snrs_test)")" --fractions "$fractions" ${rir:+--rir "$rir"} --nj "$nj"
    done
}

merit() {
    local corpus=$1 command_line
    shift
    command_line=$(full_command "$@")
    read_options "$@"
    methods=$(words "$methods") seeds=$(words "$seeds") classes=$(words "$classes")
    noise_unseen=$(words "$noise_unseen")
    check_common_options 7
    check_options
    enhancer_seed=${enhancer_seed:-${seeds%% *}}
    local seen="" unseen="" seen_name="" babble_done="" noise
    if [ "$mixed" = false ]; then
        seen=$noise_seen
        if [ "$noise_seen" = babble ]; then
            seen=babble=dump/noise/babble
            babble_done=dump/log/babble.done
        fi
        # shellcheck disable=SC2086 # a list
        [ "$stop_stage" -eq 1 ] || check_noises "$seen" $noise_unseen
        seen_name=${seen%%=*}
        for noise in $noise_unseen; do unseen+=" ${noise%%=*}"; done
    fi

    local recipe template trainer
    enter_recipe
    export MERIT_METHODS=$recipe/conf # where tables and figures find the titles of the recipe's own methods
    local plan
    plan=$(make_plan "$seen_name" "$unseen") || exit 2

    # Names for all stages, which the functions in training.sh read as well.
    local direct waiting train dev tests mixed_done=dump/log/validate.done tests_done=dump/log/validate.done
    local suffix=${tag:+_$tag} enhancer_exp
    enhancer_exp=exp/$enhancer$suffix-$enhancer_seed
    direct=$(planned direct) waiting=$(planned waiting) train=$(planned train) dev=$(planned dev)
    tests=$(planned tests)
    if [ "$mixed" = false ]; then
        mixed_done="dump/log/$train.done dump/log/$dev.done" tests_done=""
        for noise in "$seen_name" $unseen; do
            tests_done+="dump/log/test_$noise.done "
        done
    fi

    local name speech method seed
    if selected 1; then
        say "stage 1: data preparation"
        local data_command=("$recipe/local/data.sh" "${!corpus}" data)
        for name in $data_options; do
            data_command+=("--$name" "${!name}")
        done
        step dump/log/data --reads "$recipe/local/*.sh $recipe/local/*.py" --writes "data/train data/dev data/test" \
            "${prepare_job[@]}" -- "${data_command[@]}"
    fi

    if selected 2; then
        say "stage 2: noise mixing"
        local labels=() # enhancement needs none
        case $(planned tasks) in *emotion*) labels=(--classes "$(list "$classes")") ;; esac
        # Reads the tables as well, so that a change made by hand is noticed here and mixed again.
        # Stage 3 may add waveform_stats.json to them, which is no table.
        step dump/log/validate --reads "dump/log/data.done data/train/*[!n] data/dev/*[!n] data/test/*[!n]" \
            "${prepare_job[@]}" -- \
            "$python" -m merit.bin.validate_data_dir --data "[data/train,data/dev,data/test]" \
            ${labels[@]+"${labels[@]}"}
        # shellcheck disable=SC2086 # a list
        [ "$mixed" = true ] || mix_noises "$seen" $noise_unseen
    fi

    if selected 3; then
        say "stage 3: statistics and hidden states"
        for speech in $(planned kinds); do
            prepare_states "$speech"
        done
    fi

    if selected 4; then
        say "stage 4: phase 1, heads on the frozen encoder"
        for speech in $(planned kinds); do
            # shellcheck disable=SC2046 # a list
            train_heads "$speech" $(planned phase1 "$speech")
        done
    fi

    if selected 5; then
        say "stage 5: phase 2, joint fine-tuning"
        for seed in $seeds; do
            for method in $direct; do
                train_joint "$method" "$seed"
            done
        done
        if [ -n "$waiting" ]; then
            say "stage 5: what is to be trained on enhanced speech, from the enhancement on"
            train_joint "$enhancer" "$enhancer_seed"
            enhance train "$mixed_done" "$train" "$dev"
            prepare_states enhanced
            # shellcheck disable=SC2046 # a list
            train_heads enhanced $(planned phase1 enhanced)
            for seed in $seeds; do
                for method in $waiting; do
                    train_joint "$method" "$seed"
                done
            done
        fi
    fi

    if selected 6; then
        say "stage 6: decoding and scores"
        # shellcheck disable=SC2086 # a list
        [ -z "$waiting" ] || enhance test "$tests_done" $tests
        for seed in $seeds; do
            for method in $methods; do
                decode_and_score "$method" "$seed"
            done
        done
    fi

    if selected 7; then
        say "stage 7: tables and figures over methods and seeds"
        compare
    fi

    # One run has a table of its own; several stand side by side in that of stage 7.
    case $methods$seeds in
    *" "*) ! selected 7 || "$MERIT_ROOT/utils/show_result.sh" exp/RESULTS.md ;;
    *) ! selected 6 || "$MERIT_ROOT/utils/show_result.sh" "exp/$methods$suffix-$seeds" ;;
    esac
}
