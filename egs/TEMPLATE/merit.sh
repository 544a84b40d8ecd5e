# shellcheck shell=bash source=/dev/null disable=SC2034,SC2154 # what is sourced here sets and reads variables
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
mix=stored                 # training hears each utterance in one mixture: stored; in another one in every epoch: online
noise_train=               # online: noises of training as "name=folder name@weight=folder babble"; empty: noise_seen
babble_talkers=4           # voices at once in babble that is made of babble_data
rir=                       # folder of room impulse responses for the speech, before noise is added; empty: none
rir_share=1                # online: share of the utterances that are heard in such a room
telephone_share=0          # online: share of the utterances that are heard through a telephone's band
snr_train=5                # signal-to-noise ratio in training, dB; online a range as "-5:15" or a list as well
gain_train="-3:3"          # online: level of noisy speech and reference alike, dB, a range or a list
snrs_test="-5 0 5 10"      # signal-to-noise ratios in the test, dB
ssl=microsoft/wavlm-large  # encoder: merit-tiny, a transformers directory, a hub name, or an original WavLM .pt file
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
. "$MERIT_ROOT/egs/TEMPLATE/noise.sh"
. "$MERIT_ROOT/egs/TEMPLATE/training.sh"

check_options() { # those that are not common; what a plan is made of is checked with the plan
    check_choice --feats "$feats" dump features online
    check_choice --composite "$composite" matlab cmgan
    check_choice --dump-dtype "$dump_dtype" bfloat16 float16
    [ -z "$enhancer_seed" ] || check_whole "--enhancer-seed is a whole number" "$enhancer_seed"
    check_runs
    check_mixing
    check_once --classes "$classes"
    check_encoder
    check_no_space --babble-data "$babble_data"
    check_no_space --se-pretrain "$se_pretrain"
}

make_plan() { # what follows from the methods' files and the noises
    "$python" -m merit.bin.sparse_merit.plan --methods="$methods" --seeds="$seeds" --own="$recipe/conf" \
        --common="$template/conf" --enhancer="$enhancer" --enhancer_seed="$enhancer_seed" \
        --se_pretrain="$se_pretrain" --noise_seen="$seen_names" --noise_unseen="$unseen_names" \
        --snr_train="$snr_train" --snrs_test="$snrs_test" --probe_snr="$probe_snr" --mix="$mix" --rir="$rir" \
        --draw.noise_train="$noise_train" --draw.gain_train="$gain_train" --draw.rir_share="$rir_share" \
        --draw.telephone_share="$telephone_share"
}

planned() { # what the plan says: planned speech se_p
    local question answer
    while IFS=$'\t' read -r question answer; do
        [ "$question" != "$*" ] || { echo "$answer" && return; }
    done <<<"$plan"
    echo "the plan says nothing of '$*'" >&2
    return 1
}

merit() {
    local corpus=$1 command_line
    shift
    command_line=$(full_command "$@")
    read_options "$@"
    methods=$(words "$methods") seeds=$(words "$seeds") classes=$(words "$classes")
    noise_unseen=$(words "$noise_unseen") noise_train=$(words "$noise_train")
    check_common_options 7
    check_options
    enhancer_seed=${enhancer_seed:-${seeds%% *}}
    local seen=() seen_names="" unseen_names="" babble_done=""
    if [ "$mixed" = false ]; then
        name_noises
        # shellcheck disable=SC2086 # a list
        [ "$stop_stage" -eq 1 ] || check_noises ${seen[@]+"${seen[@]}"} $noise_unseen
    fi

    local recipe template trainer
    enter_recipe
    export MERIT_METHODS=$recipe/conf # where tables and figures find the titles of the recipe's own methods
    local plan
    plan=$(make_plan) || exit 2

    # Names for all stages, which the functions in training.sh read as well.
    local direct waiting train dev tests noise mixed_done=dump/log/validate.done tests_done=dump/log/validate.done
    local suffix=${tag:+_$tag} enhancer_exp
    enhancer_exp=exp/$enhancer$suffix-$enhancer_seed
    direct=$(planned direct) waiting=$(planned waiting) train=$(planned train) dev=$(planned dev)
    tests=$(planned tests)
    if [ "$mixed" = false ]; then
        mixed_done="dump/log/$train.done dump/log/$dev.done" tests_done=""
        for noise in $seen_names $unseen_names; do
            tests_done+="dump/log/test_$noise.done "
        done
    fi

    local speech method seed
    if selected 1; then
        say "stage 1: data preparation"
        prepare_data "data/train data/dev data/test"
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
        [ "$mixed" = true ] || mix_noises
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
