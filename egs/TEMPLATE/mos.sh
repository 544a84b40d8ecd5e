# shellcheck shell=bash source=/dev/null disable=SC2034,SC2154 # common.sh and cmd.sh set and read variables
# The stages of MoE-MOS, speech quality. A run.sh sources this file, changes the options below and in common.sh that its
# corpus needs changed, declares options of its own, and calls `mos CORPUS "$@"`; CORPUS is the name of the option with
# the corpus's path. All paths are relative to the recipe's directory, or to --work.

stage=1                    # first stage to run: 1 data, 2 states, 3 training, 4 predictions, 5 tables
stop_stage=5               # last stage to run
ssl=facebook/wav2vec2-base # encoder: transformers directory, hub name, or an original WavLM .pt file
freeze_ssl=true            # false trains the encoder as well, on the audio
dump_dtype=bfloat16        # how states are stored: bfloat16 or float16
methods="moe_mos plain_regression" # to train and compare: conf/<method>.yaml here or in ../TEMPLATE/conf/moe_mos
folds=                     # of a cross-validation, as "fold1 fold2": data/<fold>/{train,dev,test}, all in data/all
oracle=data/dev            # where the condition oracle knows systems from; empty: the other clips of the test
others=                    # more predictors of the same test to stand in the table, as "PESQ=exp/pesq.csv"
data_options=              # names of the options that local/data.sh gets as well

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

check_mos_options() { # those that are not common
    local name
    check_choice --dump-dtype "$dump_dtype" bfloat16 float16
    check_runs
    check_once --folds "$folds"
    for name in $folds; do check_name --folds "$name"; done
    check_encoder
    check_no_space --oracle "$oracle"
    [ "$ngpu" -le 1 ] || refuse "--ngpu is 0 or 1: MoE-MOS is trained in one process"
}

check_methods() { # what is mistyped in a method's file, or in --train-args, is refused before anything runs
    local method conf last_arguments
    read -r -a last_arguments <<<"$train_args"
    for method in $methods; do
        conf=$(method_conf moe_mos "$method")
        "$python" -m merit.bin.moe_mos.train --config "$recipe/conf/mos.yaml" --config "$conf" \
            ${last_arguments[@]+"${last_arguments[@]}"} --print_config >/dev/null || exit 2
    done
}

dump_of() { # FOLD PART: where the states of its clips lie; those of all folds are dumped together
    local folder
    folder=dump/states/$(basename "$ssl" .pt)
    if [ -n "$1" ]; then echo "$folder/all"; else echo "$folder/$2"; fi
}

train_mos() { # METHOD SEED FOLD
    local exp=exp/$1$suffix-$2/$3 data=data/$3 conf reads inputs=() last_arguments
    exp=${exp%/} data=${data%/} conf=$(method_conf moe_mos "$1")
    reads="$recipe/conf/mos.yaml $conf dump/log/statistics.done"
    if [ "$freeze_ssl" = true ]; then
        inputs=(--train_dump "$(dump_of "$3" train)" --dev_dump "$(dump_of "$3" dev)")
        reads+=" $states_done"
    fi
    read -r -a last_arguments <<<"--seed $2 $train_args"
    step "$exp/log/train" --reads "$reads" --but '^title: ' --writes "$exp/model.safetensors" "${train_job[@]}" -- \
        "$python" -m merit.bin.moe_mos.train --config "$recipe/conf/mos.yaml" --config "$conf" --ssl "$ssl" \
        --train "$data/train" --dev "$data/dev" --statistics "data/$pool/waveform_stats.json" \
        --freeze_ssl "$freeze_ssl" ${inputs[@]+"${inputs[@]}"} --output "$exp" "${last_arguments[@]}"
}

predict_mos() { # METHOD SEED FOLD
    local exp=exp/$1$suffix-$2/$3 data=data/$3 inputs=()
    exp=${exp%/} data=${data%/}
    [ "$freeze_ssl" = false ] || inputs=(--dump "$(dump_of "$3" test)")
    step "$exp/log/predict" --reads "$exp/log/train.done dump/log/validate.done $states_done" \
        --writes "$exp/predictions.csv" "${decode_job[@]}" -- "$python" -m merit.bin.moe_mos.predict --model "$exp" \
        --data "$data/test" --output "$exp/predictions.csv" ${inputs[@]+"${inputs[@]}"}
}

tabulate_mos() { # over methods and seeds
    local method seed fold marks="" tests="data/test"
    for method in $methods; do
        for seed in $seeds; do
            for fold in ${folds:-""}; do
                marks+=" exp/$method$suffix-$seed/${fold:+$fold/}log/predict.done"
            done
        done
        marks+=" $(method_conf moe_mos "$method")" # which has its title
    done
    [ -z "$folds" ] || tests="data/all"
    # shellcheck disable=SC2086 # lists
    step exp/log/tabulate --reads "$marks dump/log/validate.done" --writes "exp/RESULTS.md exp/tables exp/figures" \
        "${prepare_job[@]}" -- "$python" -m merit.bin.moe_mos.tabulate --exp exp --methods "$(list "$methods")" \
        --seeds "$(list "$seeds")" --tag "$tag" --folds "$(list "$folds")" --test "$(list "$tests")" \
        --known "$(list "$oracle")" --others "$(list "$others")" --conf "[$recipe/conf,$template/conf/moe_mos]" \
        --output exp --command "$command_line"
    say "written: exp/RESULTS.md, exp/tables, exp/figures"
}

mos() {
    local corpus=$1 command_line
    shift
    command_line=$(full_command "$@")
    read_options "$@"
    methods=$(words "$methods") seeds=$(words "$seeds") folds=$(words "$folds") oracle=$(words "$oracle")
    others=$(words "$others")
    check_common_options 5
    check_mos_options

    local recipe template trainer
    enter_recipe
    [ "$stop_stage" -lt 3 ] || check_methods

    # Names for all stages, which the functions above read as well.
    local suffix=${tag:+_$tag} pool=train parts="train dev test" made="data/train data/dev data/test" states_done=""
    local part set method seed fold
    if [ -n "$folds" ]; then
        pool=all parts=all made=data/all
        for fold in $folds; do made+=" data/$fold"; done
    fi
    if [ "$freeze_ssl" = true ]; then
        for part in $parts; do states_done+="dump/log/states_$(basename "$ssl" .pt)_$part.done "; done
    fi

    if selected 1; then
        say "stage 1: data preparation"
        prepare_data "$made"
    fi

    if selected 2; then
        say "stage 2: statistics and hidden states"
        local reads="dump/log/data.done"
        for part in $parts; do reads+=" data/$part/wav.scp data/$part/ratings.csv"; done
        # shellcheck disable=SC2046,SC2086 # a list
        step dump/log/validate --reads "$reads" "${prepare_job[@]}" -- \
            "$python" -m merit.bin.validate_data_dir --data "$(list "$(in_folder data $parts)")"
        step dump/log/statistics --reads dump/log/validate.done --writes "data/$pool/waveform_stats.json" \
            "${prepare_job[@]}" -- "$python" -m merit.bin.waveform_statistics --data "data/$pool" --nj "$nj"
        for part in $parts; do
            [ "$freeze_ssl" = true ] || continue
            set=$(dump_of "${folds:+all}" "$part")
            step "dump/log/states_$(basename "$ssl" .pt)_$part" --reads dump/log/statistics.done \
                --writes "$set/header.json" "${dump_job[@]}" -- "$python" -m merit.bin.dump_states \
                --data "data/$part" --ssl "$ssl" --output "$set" --dtype "$dump_dtype" \
                --statistics "data/$pool/waveform_stats.json" --nj "$dumping"
        done
    fi

    if selected 3; then
        say "stage 3: training"
        for seed in $seeds; do
            for method in $methods; do
                for fold in ${folds:-""}; do train_mos "$method" "$seed" "$fold"; done
            done
        done
    fi

    if selected 4; then
        say "stage 4: predictions"
        for seed in $seeds; do
            for method in $methods; do
                for fold in ${folds:-""}; do predict_mos "$method" "$seed" "$fold"; done
            done
        done
    fi

    if selected 5; then
        say "stage 5: tables over methods and seeds"
        tabulate_mos
        "$MERIT_ROOT/utils/show_result.sh" exp/RESULTS.md
    fi
}
