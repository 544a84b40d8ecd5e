# shellcheck shell=bash source=/dev/null disable=SC2034,SC2154 # path.sh and cmd.sh read and set variables too
# The stages of every recipe. A run.sh sources this file, changes the options below that its corpus needs changed,
# declares options of its own, and calls `merit CORPUS "$@"`; CORPUS is the name of the option with the corpus's path.
# All paths are relative to the recipe's directory.

stage=1                    # first stage to run: 1 data, 2 noise, 3 hidden states, 4 phase 1, 5 phase 2, 6 scores
stop_stage=6               # last stage to run
classes="angry happy neutral sad"  # emotions in the order of the model's outputs
noise_seen=babble          # noise of training and test, as name=folder; plain babble is made from babble_data
noise_unseen=              # noises of the test alone, as "name=folder name=folder"
babble_data=data/train     # data directory whose speakers talk in the babble
snr_train=5                # signal-to-noise ratio in training, dB
snrs_test="-5 0 5 10"      # signal-to-noise ratios in the test, dB
ssl=microsoft/wavlm-large  # encoder: transformers directory, hub name, or an original WavLM .pt file
feats=dump                 # hidden states in phase 1: dump (stored by stage 3) or online (computed as needed)
dump_dtype=bfloat16        # how they are stored: bfloat16 or float16
method=sparse_merit        # phase 2 is trained as conf/<method>.yaml says
tag=                       # the experiment lies in exp/<tag>-<seed>; empty: <method>-<seed>
seed=7                     # of the training
train_args=                # appended to every training command, as "--training.epochs 2"
composite=matlab           # composite scores: matlab, or cmgan to compare with the paper's Table II
nj=4                       # processes of a job
ngpu=1                     # GPUs of a training job, where there are any; 0 hides them
backend=local              # where jobs run: local or slurm (what they ask for is in cmd.sh)
python=                    # Python of the jobs; empty: the one of tools/install.sh

MERIT_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

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

check_noises() { # every one is given as name=folder, and no two have one name
    local noise names=" "
    for noise in "$@"; do
        case $noise in ?*=?*) ;; *) refuse "noise '$noise' is not name=folder" ;; esac
        case $names in *" ${noise%%=*} "*) refuse "two noises are called ${noise%%=*}" ;; esac
        names+="${noise%%=*} "
    done
}

full_command() { # what a person types for this experiment, whichever part of it runs now
    printf './run.sh'
    while [ $# -gt 1 ]; do
        case $1 in
        --stage | --stop[-_]stage | --nj | --backend | --python) ;;
        *) printf ' %q %q' "$1" "$2" ;;
        esac
        shift 2
    done
}

merit() {
    local corpus=$1 command_line
    shift
    command_line=$(full_command "$@")
    . "$MERIT_ROOT/utils/parse_options.sh"
    [ $# -eq 0 ] || refuse "'$1' is no option"
    case $feats in dump | online) ;; *) refuse "--feats is dump or online, not '$feats'" ;; esac
    local number
    for number in stage stop_stage seed nj ngpu; do
        case ${!number} in "" | *[!0-9]*) refuse "--$number is a whole number, not '${!number}'" ;; esac
    done
    [ "$stage" -ge 1 ] && [ "$stage" -le "$stop_stage" ] && [ "$stop_stage" -le 6 ] ||
        refuse "no stages from $stage to $stop_stage; there are 1 to 6"
    [ "$nj" -ge 1 ] || refuse "--nj is at least 1"
    cd "$(dirname "$0")" || return
    [ -f "conf/$method.yaml" ] || refuse "--method $method: there is no conf/$method.yaml"

    local exp=exp/${tag:-$method}-$seed seen=$noise_seen babble_done="" noise set task conf tests=""
    if [ "$noise_seen" = babble ]; then
        seen=babble=dump/noise/babble
        babble_done=dump/log/babble.done
    fi
    # shellcheck disable=SC2086 # a list
    [ "$stop_stage" -eq 1 ] || check_noises "$seen" $noise_unseen
    . "$MERIT_ROOT/egs/TEMPLATE/path.sh" # sets python
    . "$MERIT_ROOT/egs/TEMPLATE/cmd.sh"  # sets prepare_job, dump_job, train_job, decode_job
    . "$MERIT_ROOT/utils/step.sh"

    local train=train_${seen%%=*}_${snr_train}dB dev=dev_${seen%%=*}_${snr_train}dB
    for noise in "$seen" $noise_unseen; do
        tests+=$(conditions "$noise")" "
    done

    if selected 1; then
        say "stage 1: data preparation"
        step dump/log/data --reads "local/*.sh local/*.py" --writes "data/train data/dev data/test" \
            "${prepare_job[@]}" -- local/data.sh "${!corpus}" data
    fi

    if selected 2; then
        say "stage 2: noise mixing"
        # Reads the tables as well, so that a change made by hand is noticed here and mixed again.
        step dump/log/validate --reads "dump/log/data.done data/train/* data/dev/* data/test/*" "${prepare_job[@]}" -- \
            "$python" -m merit.bin.validate_data_dir --data "[data/train,data/dev,data/test]" \
            --classes "$(list "$classes")"
        if [ -n "$babble_done" ]; then
            step dump/log/babble --reads "dump/log/validate.done $babble_data/*" --writes "${seen#*=}" \
                "${prepare_job[@]}" -- "$python" -m merit.bin.make_babble --data "$babble_data" --output "${seen#*=}"
        fi
        for set in train dev; do
            step "dump/log/${set}_${seen%%=*}_${snr_train}dB" --reads "dump/log/validate.done $babble_done" \
                --writes "data/${set}_${seen%%=*}_${snr_train}dB" "${prepare_job[@]}" -- \
                "$python" -m merit.bin.mix_noise --data "data/$set" --noise "$seen" --part "$set" \
                --snrs "[$snr_train]" --nj "$nj"
        done
        step "dump/log/statistics_$train" --reads "dump/log/$train.done" --writes "data/$train/waveform_stats.json" \
            "${prepare_job[@]}" -- "$python" -m merit.bin.waveform_statistics --data "data/$train" --nj "$nj"
        for noise in "$seen" $noise_unseen; do
            # All files of a noise that training never hears are there to test with, unless it has a part for that.
            local fractions="[0,0,1]"
            [ "$noise" != "$seen" ] || fractions="[0.8,0.1,0.1]"
            step "dump/log/test_${noise%%=*}" --reads "dump/log/validate.done $babble_done" \
                --writes "$(conditions "$noise")" "${prepare_job[@]}" -- \
                "$python" -m merit.bin.mix_noise --data data/test --noise "$noise" --part test \
                --snrs "$(list "$snrs_test")" --fractions "$fractions" --nj "$nj"
        done
    fi

    local states dump_log trainer=("$python" -m) last_arguments
    states=dump/states/$(basename "$ssl" .pt)
    dump_log=dump/log/states_$(basename "$ssl" .pt)
    if selected 3 && [ "$feats" = dump ]; then
        say "stage 3: hidden states"
        for set in "$train" "$dev"; do
            step "${dump_log}_$set" --reads "dump/log/$set.done dump/log/statistics_$train.done" \
                --writes "$states/$set" "${dump_job[@]}" -- \
                "$python" -m merit.bin.dump_states --data "data/$set" --ssl "$ssl" --output "$states/$set" \
                --statistics "data/$train/waveform_stats.json" --dtype "$dump_dtype"
        done
    fi

    [ "$ngpu" -le 1 ] || trainer=("$python" -m torch.distributed.run --standalone --nproc_per_node "$ngpu" -m)
    read -r -a last_arguments <<<"--seed $seed $train_args"
    if selected 4; then
        say "stage 4: phase 1, both heads on the frozen encoder"
        for task in emotion enhancement; do
            case $task in emotion) conf=phase1_ser ;; enhancement) conf=phase1_se ;; esac
            local inputs=(--train "data/$train" --dev "data/$dev") reads="dump/log/$train.done dump/log/$dev.done"
            if [ "$feats" = dump ]; then
                inputs+=(--train_states "$states/$train" --dev_states "$states/$dev")
                reads="${dump_log}_$train.done ${dump_log}_$dev.done"
            fi
            step "$exp/log/$conf" --reads "conf/$conf.yaml $reads" --writes "$exp/$conf/model.safetensors" \
                "${train_job[@]}" -- "${trainer[@]}" merit.bin.train_head --config "conf/$conf.yaml" --task "$task" \
                --classes "$(list "$classes")" --ssl "$ssl" "${inputs[@]}" --output "$exp/$conf" "${last_arguments[@]}"
        done
    fi

    if selected 5; then
        say "stage 5: phase 2, joint fine-tuning"
        step "$exp/log/$method" --reads "conf/$method.yaml $exp/log/phase1_ser.done $exp/log/phase1_se.done" \
            --writes "$exp/model.safetensors" "${train_job[@]}" -- \
            "${trainer[@]}" merit.bin.train_joint --config "conf/$method.yaml" --classes "$(list "$classes")" \
            --ssl "$ssl" --train "data/$train" --dev "data/$dev" --emotion_head "$exp/phase1_ser" \
            --enhancement_head "$exp/phase1_se" --output "$exp" "${last_arguments[@]}"
    fi

    if selected 6; then
        say "stage 6: decoding and scores"
        local mixed=dump/log/test_${seen%%=*}.done
        for noise in $noise_unseen; do
            mixed+=" dump/log/test_${noise%%=*}.done"
        done
        step "$exp/log/decode" --reads "$exp/log/$method.done $mixed" --writes "$exp/decode" "${decode_job[@]}" -- \
            "$python" -m merit.bin.decode --model "$exp" --data "$(list "$tests")" --output "$exp/decode"
        step "$exp/log/score" --reads "$exp/log/decode.done" --writes "$exp/score" "${prepare_job[@]}" -- \
            "$python" -m merit.bin.score --data "$(list "$tests")" --decode "$exp/decode" --output "$exp/score" \
            --noisy dump/score_noisy --composite "$composite" --nj "$nj"
        step "$exp/log/report" --reads "$exp/log/score.done" --writes "$exp/RESULTS.md" "${prepare_job[@]}" -- \
            "$python" -m merit.bin.report --model "$exp" --score "$exp/score" --noisy dump/score_noisy \
            --output "$exp/RESULTS.md" --noise_seen "[${seen%%=*}]" --command "$command_line"
        "$MERIT_ROOT/utils/show_result.sh" "$exp"
    fi
}
