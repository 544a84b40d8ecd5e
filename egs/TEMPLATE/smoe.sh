# shellcheck shell=bash source=/dev/null disable=SC2034,SC2154 # common.sh and cmd.sh set and read variables
# The stages of S-MoE, speech to text and translation. A run.sh sources this file, changes the options below and in
# common.sh that its corpus needs changed, declares options of its own, and calls `smoe CORPUS "$@"`; CORPUS is the name
# of the option with the corpus's path. All paths are relative to the recipe's directory, or to --work.

stage=1              # first stage: 1 data, 2 narrow band, 3 features, 4 vocabulary, 5 training, 6 scores, 7 tables
stop_stage=7         # last stage to run
source_lang=en       # language that is spoken; transcriptions are written in it
target_lang=         # language of the translations; empty trains and tests transcription alone
narrow_band=resample # makes narrow-band copies of all sets: resample, mu_law (through G.711), or none
feats=dump           # features for training: dump (shards) or online (computed from the audio in every epoch)
vocabulary_size=10000 # pieces, with tags and the 256 bytes
methods="base encdec_smoe" # to train and compare: conf/<method>.yaml here or in ../TEMPLATE/conf/smoe
beam=5               # hypotheses of the search
length_power=1.0     # a text scores its log-probability divided by its tokens to this power
probe=true           # decode by wrong experts and tags as well, for the analysis in stage 7
data_options=        # names of the options that local/data.sh gets as well

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

check_smoe_options() { # those that are not common
    check_choice --narrow-band "$narrow_band" resample mu_law none
    check_choice --feats "$feats" dump online
    check_whole "--vocabulary-size is a whole number" "$vocabulary_size"
    check_whole "--beam is a whole number" "$beam"
    [ "$beam" -ge 1 ] || refuse "--beam is at least 1"
    check_name --source-lang "$source_lang"
    [ -z "$target_lang" ] || check_name --target-lang "$target_lang"
    [ "$source_lang" != "$target_lang" ] || refuse "--target-lang is another language than --source-lang"
    check_runs
}

dense_of() { # METHOD: the method whose trained model its experts start as, if it names one
    sed -n 's/^upcycle_from: *//p' "$(method_conf smoe "$1")"
}

check_methods() { # what is mistyped in a method's file, or in --train-args, is refused before anything runs
    local method conf dense before=" " last_arguments
    read -r -a last_arguments <<<"$train_args"
    for method in $methods; do
        conf=$(method_conf smoe "$method")
        dense=$(dense_of "$method")
        case "${dense:+$before}" in "" | *" $dense "*) ;; *)
            refuse "--methods: $method starts from $dense; name that one before it" ;;
        esac
        before+="$method "
        "$python" -m merit.bin.smoe.train_speech_to_text --config "$recipe/conf/smoe.yaml" --config "$conf" \
            --source_lang "$source_lang" ${last_arguments[@]+"${last_arguments[@]}"} --print_config >/dev/null || exit 2
    done
}

of_part() { # PART: its data directories
    if [ "$narrow_band" = none ]; then echo "data/$1"; else echo "data/$1 data/$1_narrow"; fi
}

dumps_of() { # PART: the dumps of its data directories
    local set
    for set in $(of_part "$1"); do printf 'dump/features/%s ' "$(basename "$set")"; done
}

train_smoe() { # METHOD SEED
    local exp=exp/$1$suffix-$2 conf dense reads inputs=() last_arguments
    conf=$(method_conf smoe "$1") dense=$(dense_of "$1")
    reads="$recipe/conf/smoe.yaml $conf data/vocabulary.model $features_done"
    # shellcheck disable=SC2046 # lists
    [ "$feats" = online ] ||
        inputs=(--train_dumps "$(list "$(dumps_of train)")" --dev_dumps "$(list "$(dumps_of dev)")")
    if [ -n "$dense" ]; then
        inputs+=(--upcycle_from "exp/$dense$suffix-$2")
        reads+=" exp/$dense$suffix-$2/log/train.done"
    fi
    read -r -a last_arguments <<<"--seed $2 $train_args"
    step "$exp/log/train" --reads "$reads" --but '^title: ' --writes "$exp/model.safetensors" "${train_job[@]}" -- \
        "${trainer[@]}" merit.bin.smoe.train_speech_to_text --config "$recipe/conf/smoe.yaml" --config "$conf" \
        --train "$(list "$(of_part train)")" --dev "$(list "$(of_part dev)")" --vocabulary data/vocabulary.model \
        --source_lang "$source_lang" --target_lang "$target_lang" ${inputs[@]+"${inputs[@]}"} --output "$exp" \
        "${last_arguments[@]}"
}

decode_and_score() { # METHOD SEED
    local exp=exp/$1$suffix-$2 set task decoded="" search=(--search.beam "$beam" --search.length_power "$length_power")
    for set in $(of_part test); do
        for task in $tasks; do decoded+="$exp/decode/$(basename "$set")/$task.json "; done
    done
    step "$exp/log/decode" --reads "$exp/log/train.done $sets_done" --writes "$decoded" "${decode_job[@]}" -- \
        "$python" -m merit.bin.smoe.decode --model "$exp" --data "$(list "$(of_part test)")" \
        --output "$exp/decode" "${search[@]}"
    step "$exp/log/score" --reads "$exp/log/decode.done" --writes "$exp/RESULTS.md" "${prepare_job[@]}" -- \
        "$python" -m merit.bin.smoe.score --model "$exp" --data "$(list "$(of_part test)")" \
        --decode "$exp/decode" --output "$exp/RESULTS.md" --command "$command_line"
    if [ "$probe" = true ]; then
        step "$exp/log/probe" --reads "$exp/log/decode.done" --writes "$exp/probe/probe.json" "${decode_job[@]}" -- \
            "$python" -m merit.bin.smoe.probe --model "$exp" --data "$(list "$(of_part test)")" \
            --output "$exp/probe" "${search[@]}"
    fi
}

compare_smoe() { # over methods and seeds
    local method seed marks="" speed=()
    for method in $methods; do
        for seed in $seeds; do
            marks+=" exp/$method$suffix-$seed/log/score.done"
            [ "$probe" = false ] || marks+=" exp/$method$suffix-$seed/log/probe.done"
        done
        marks+=" $(method_conf smoe "$method")" # which has its title
    done
    if [ "$probe" = true ]; then
        step exp/log/speed --reads "$recipe/conf/smoe.yaml data/vocabulary.model" --writes exp/speed.csv \
            "${decode_job[@]}" -- "$python" -m merit.bin.smoe.measure_speed --config "$recipe/conf/smoe.yaml" \
            --vocabulary data/vocabulary.model --output exp/speed.csv
        speed=(--speed exp/speed.csv)
        marks+=" exp/log/speed.done"
    fi
    step exp/log/compare --reads "$marks" --writes "exp/RESULTS.md exp/tables" "${prepare_job[@]}" -- \
        "$python" -m merit.bin.smoe.compare --exp exp --methods "$(list "$methods")" --seeds "$(list "$seeds")" \
        --tag "$tag" --test "$(list "$(of_part test)")" --conf "[$recipe/conf,$template/conf/smoe]" \
        ${speed[@]+"${speed[@]}"} --output exp --command "$command_line"
    say "written: exp/RESULTS.md, exp/tables"
}

smoe() {
    local corpus=$1 command_line
    shift
    command_line=$(full_command "$@")
    read_options "$@"
    methods=$(words "$methods") seeds=$(words "$seeds")
    check_common_options 7
    check_smoe_options

    local recipe template trainer
    enter_recipe
    [ "$stop_stage" -lt 5 ] || check_methods

    # Names for all stages, which the functions above read as well.
    local suffix=${tag:+_$tag} parts="train dev test" tasks=transcribe languages=$source_lang
    local name part set method seed sets="" sets_done="" features_done=""
    [ -z "$target_lang" ] || { tasks+=" translate" languages+=" $target_lang"; }
    for part in $parts; do
        sets+="$(of_part "$part") "
        if [ "$narrow_band" = none ]; then
            sets_done="dump/log/validate.done"
        else
            sets_done+="dump/log/narrow_$part.done "
        fi
    done
    features_done=$sets_done
    if [ "$feats" = dump ]; then
        features_done=""
        for set in $(of_part train) $(of_part dev); do features_done+="dump/log/features_$(basename "$set").done "; done
    fi

    if selected 1; then
        say "stage 1: data preparation"
        # shellcheck disable=SC2086 # a list
        prepare_data "$(in_folder data $parts)"
    fi

    if selected 2; then
        say "stage 2: narrow band"
        # shellcheck disable=SC2046,SC2086 # a list
        step dump/log/validate --reads "dump/log/data.done" "${prepare_job[@]}" -- \
            "$python" -m merit.bin.validate_data_dir --data "$(list "$(in_folder data $parts)")"
        for part in $parts; do
            [ "$narrow_band" != none ] || continue
            step "dump/log/narrow_$part" --reads dump/log/validate.done --writes "data/${part}_narrow/wav.scp" \
                "${prepare_job[@]}" -- "$python" -m merit.bin.narrow_band --data "data/$part" \
                --output "data/${part}_narrow" --audio "dump/audio/${part}_narrow_$narrow_band" --codec "$narrow_band" \
                --nj "$nj"
        done
    fi

    if selected 3 && [ "$feats" = dump ]; then
        say "stage 3: features"
        for set in $(of_part train) $(of_part dev); do
            name=$(basename "$set")
            step "dump/log/features_$name" --reads "$sets_done" --writes "dump/features/$name/header.json" \
                "${prepare_job[@]}" -- "$python" -m merit.bin.smoe.dump_features --data "$set" \
                --output "dump/features/$name" --nj "$nj"
        done
    fi

    if selected 4; then
        say "stage 4: vocabulary"
        step dump/log/vocabulary --reads dump/log/validate.done --writes data/vocabulary.model "${prepare_job[@]}" -- \
            "$python" -m merit.bin.smoe.make_vocabulary --data "[data/train]" --languages "$(list "$languages")" \
            --size "$vocabulary_size" --output data/vocabulary.model
    fi

    if selected 5; then
        say "stage 5: training"
        for seed in $seeds; do
            for method in $methods; do train_smoe "$method" "$seed"; done
        done
    fi

    if selected 6; then
        say "stage 6: decoding and scores"
        for seed in $seeds; do
            for method in $methods; do decode_and_score "$method" "$seed"; done
        done
    fi

    if selected 7; then
        say "stage 7: tables over methods and seeds"
        compare_smoe
        "$MERIT_ROOT/utils/show_result.sh" exp/RESULTS.md
    fi
}
