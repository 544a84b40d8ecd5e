# shellcheck shell=bash source=/dev/null disable=SC2034,SC2154 # path.sh and cmd.sh read and set variables too
# The stages of every recipe. A run.sh sources this file, changes the options below that its corpus needs changed,
# declares options of its own, and calls `merit CORPUS "$@"`; CORPUS is the name of the option with the corpus's path.
# All paths are relative to the recipe's directory, or to --work.

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
seeds=7                    # of the training; every method is trained with each
tag=                       # experiments lie in exp/<method>_<tag>-<seed>, to keep other settings apart
clean_methods=original     # methods that are trained on clean speech
enhanced_methods=se_p      # methods that hear, in training and test, what another method has enhanced
enhancer=se_only           # the method that enhances for them
enhancer_seed=             # its seed; empty: the first of seeds
se_pretrain=               # model that the enhancer's training begins with, as ../vctk_demand/exp/se_only-7
train_args=                # appended to every training command, as "--training.epochs 2"
probe_snr=0                # stage 7 tries other experts than the gates' at this SNR of the test; empty: at all
composite=matlab           # composite scores: matlab, or cmgan to compare with the paper's Table II
no_pipes=false             # true refuses wav.scp entries that are commands, for data from strangers
nj=4                       # processes of a job
ngpu=1                     # GPUs of a training job, where there are any; 0 hides them
backend=local              # where jobs run: local or slurm (what they ask for is in cmd.sh)
max_requeue=3              # how often a job on Slurm that has reached its time limit goes on in another one
orphan="wait"              # wait or cancel: for jobs on Slurm that a command which was killed has left behind
python=                    # Python of the jobs; empty: the one of tools/install.sh
work=                      # where data, dump and exp lie; empty: in the recipe's directory
data_options=classes       # names of the options that local/data.sh gets as well

MERIT_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$MERIT_ROOT/egs/TEMPLATE/check_options.sh"

refuse() {
    echo "$0: $1; --help lists all options" >&2
    exit 2
}

selected() { # is this stage to be run?
    [ "$stage" -le "$1" ] && [ "$stop_stage" -ge "$1" ]
}

list() { # "a b" as the commands take it: [a,b]
    local words
    read -r -a words <<<"$1"
    local IFS=,
    echo "[${words[*]}]"
}

conditions() { # the mixed test sets of a noise
    local snr
    for snr in $snrs_test; do
        printf 'data/test_%s_%sdB ' "${1%%=*}" "$snr"
    done
}

full_command() { # what a person types for this experiment, whichever part of it runs now
    printf './run.sh'
    while [ $# -gt 1 ]; do
        case $1 in
        --stage | --stop[-_]stage | --no[-_]pipes | --nj | --backend | --max[-_]requeue | --orphan | --python) ;;
        *) printf ' %q %q' "$1" "$2" ;;
        esac
        shift 2
    done
}

mix_noises() { # stage 2: babble, the noisy training, dev and test sets
    local set noise fractions
    if [ -n "$babble_done" ]; then
        step dump/log/babble --reads "dump/log/validate.done $babble_data/*" --writes "${seen#*=}" \
            "${prepare_job[@]}" -- "$python" -m merit.bin.make_babble --data "$babble_data" --output "${seen#*=}"
    fi
    for set in train dev; do
        step "dump/log/${set}_${seen_name}_${snr_train}dB" --reads "dump/log/validate.done $babble_done" \
            --writes "data/${set}_${seen_name}_${snr_train}dB" "${prepare_job[@]}" -- \
            "$python" -m merit.bin.mix_noise --data "data/$set" --noise "$seen" --part "$set" \
            --snrs "[$snr_train]" ${rir:+--rir "$rir"} --nj "$nj"
    done
    for noise in "$seen" $noise_unseen; do
        # All files of a noise that training never hears are there to test with, unless it has a part for that.
        fractions="[0,0,1]"
        [ "$noise" != "$seen" ] || fractions="[0.8,0.1,0.1]"
        step "dump/log/test_${noise%%=*}" --reads "dump/log/validate.done $babble_done" \
            --writes "$(conditions "$noise")" "${prepare_job[@]}" -- \
            "$python" -m merit.bin.mix_noise --data data/test --noise "$noise" --part test \
            --snrs "$(list "$snrs_test")" --fractions "$fractions" ${rir:+--rir "$rir"} --nj "$nj"
    done
}

merit() {
    local corpus=$1 command_line
    shift
    command_line=$(full_command "$@")
    . "$MERIT_ROOT/utils/parse_options.sh"
    [ $# -eq 0 ] || refuse "'$1' is no option"
    check_options
    [ "$no_pipes" = false ] || export MERIT_NO_PIPES=true # for all jobs, whatever table they read
    cd "$(dirname "$0")" || return

    # The recipe and the common methods, seen from where data, dump and exp lie.
    local recipe=. template=../TEMPLATE
    if [ -n "$work" ]; then
        recipe=$PWD template=$MERIT_ROOT/egs/TEMPLATE
        case $recipe in *[[:space:]]*)
            refuse "--work: the recipe lies in '$recipe', which has a space; lists are split there" ;;
        esac
        mkdir -p "$work"
        cd "$work" || return
    fi
    . "$MERIT_ROOT/egs/TEMPLATE/training.sh"

    # Methods that can be trained at once, and those that wait for the enhancer.
    local method direct="" waiting=""
    for method in $methods; do
        [ -f "$(conf_of "$method")" ] ||
            refuse "--methods: there is no conf/$method.yaml, neither here nor in egs/TEMPLATE"
        if [ "$(speech_of "$method")" = enhanced ]; then waiting+=" $method"; else direct+=" $method"; fi
    done
    [ -z "$waiting" ] || [ -f "$(conf_of "$enhancer")" ] ||
        refuse "--enhancer: there is no conf/$enhancer.yaml, neither here nor in egs/TEMPLATE"
    enhancer_seed=${enhancer_seed:-${seeds%% *}}
    local suffix=${tag:+_$tag}
    local enhancer_exp=exp/$enhancer$suffix-$enhancer_seed

    local train=train dev=dev tests=data/test mixed_done=dump/log/validate.done tests_done=dump/log/validate.done
    local seen="" seen_name="" babble_done="" noise
    if [ "$mixed" = false ]; then
        seen=$noise_seen
        if [ "$noise_seen" = babble ]; then
            seen=babble=dump/noise/babble
            babble_done=dump/log/babble.done
        fi
        # shellcheck disable=SC2086 # a list
        [ "$stop_stage" -eq 1 ] || check_noises "$seen" $noise_unseen
        seen_name=${seen%%=*}
        train=train_${seen_name}_${snr_train}dB dev=dev_${seen_name}_${snr_train}dB tests="" tests_done=""
        mixed_done="dump/log/$train.done dump/log/$dev.done"
        for noise in "$seen" $noise_unseen; do
            tests+=$(conditions "$noise")
            tests_done+="dump/log/test_${noise%%=*}.done "
        done
    fi
    . "$MERIT_ROOT/egs/TEMPLATE/path.sh" # sets python
    . "$MERIT_ROOT/egs/TEMPLATE/cmd.sh"  # sets prepare_job, dump_job, train_job, decode_job
    . "$MERIT_ROOT/utils/step.sh"
    local trainer=("$python" -m)
    [ "$ngpu" -le 1 ] || trainer=("$python" -m torch.distributed.run --standalone --nproc_per_node "$ngpu" -m)
    # Set by sets_of in training.sh, for one kind of speech at a time.
    local train_set dev_set sets_done kind statistics_log states states_log

    local name speech seed
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
        for method in $methods; do
            case $(tasks_of "$method") in *emotion*) labels=(--classes "$(list "$classes")") ;; esac
        done
        # Reads the tables as well, so that a change made by hand is noticed here and mixed again.
        step dump/log/validate --reads "dump/log/data.done data/train/* data/dev/* data/test/*" "${prepare_job[@]}" -- \
            "$python" -m merit.bin.validate_data_dir --data "[data/train,data/dev,data/test]" \
            ${labels[@]+"${labels[@]}"}
        [ "$mixed" = true ] || mix_noises
    fi

    # The kinds of speech that methods are trained on, but for what the enhancer has yet to make.
    local kinds
    kinds=$(for method in $direct ${waiting:+$enhancer}; do speech_of "$method"; done | sort -u)
    if selected 3; then
        say "stage 3: statistics and hidden states"
        for speech in $kinds; do
            prepare_states "$speech"
        done
    fi

    if selected 4; then
        say "stage 4: phase 1, heads on the frozen encoder"
        for speech in $kinds; do
            train_phase1 "$speech"
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
            enhance train "$mixed_done" "data/$train" "data/$dev"
            prepare_states enhanced
            # shellcheck disable=SC2046,SC2086 # lists
            train_heads enhanced $(printf 'emotion:%s ' $seeds)
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
