# shellcheck shell=bash disable=SC2046,SC2086,SC2154 # merit.sh sets what is read here, names of sets are lists
# What stages 3 to 7 do for one method, one seed and one kind of speech. Sourced by merit.sh, whose options and names the
# functions read.

# Of a kind of speech, noisy, clean or enhanced: where things lie, and the names of the steps that make them.

set_of() { # SPEECH train|dev: the data directory
    case $1 in
    clean) echo "data/$2" ;;
    enhanced) echo "$enhancer_exp/enhanced/$(planned "$2")" ;;
    *) echo "data/$(planned "$2")" ;;
    esac
}

marks_of() { # SPEECH: by which one sees that its sets are complete
    case $1 in
    clean) echo dump/log/validate.done ;;
    enhanced) echo "$enhancer_exp/log/enhance_train.done" ;;
    *) echo "$mixed_done" ;;
    esac
}

statistics_step() { # SPEECH
    case $1 in
    enhanced) echo "$enhancer_exp/log/statistics_enhanced" ;;
    *) echo "dump/log/statistics_$(basename "$(set_of "$1" train)")" ;;
    esac
}

content() { # what is dumped
    case $feats in features) echo features ;; *) echo states ;; esac
}

states_of() { # SPEECH train|dev: the dump
    local folder
    folder=dump/$(content)/$(basename "$ssl" .pt)
    [ "$1" != enhanced ] || folder+=/$(basename "$enhancer_exp")
    echo "$folder/$(basename "$(set_of "$1" "$2")")"
}

states_step() { # SPEECH train|dev
    local folder=dump/log
    [ "$1" != enhanced ] || folder=$enhancer_exp/log
    echo "$folder/$(content)_$(basename "$ssl" .pt)_$(basename "$(set_of "$1" "$2")")"
}

head_conf() { # TASK
    case $1 in emotion) echo "$recipe/conf/phase1_ser.yaml" ;; *) echo "$recipe/conf/phase1_se.yaml" ;; esac
}

kind_of() { # SPEECH: in the names of what is made of it
    [ "$1" = noisy ] || echo "_$1"
}

head_exp() { # SPEECH TASK SEED: the directory of a head of phase 1
    echo "exp/$(basename "$(head_conf "$2")" .yaml)$(kind_of "$1")$suffix-$3"
}

dumped_sets() { # SPEECH: train and dev, but for training that is mixed anew in every epoch
    case $mix$1 in onlinenoisy) echo dev ;; *) echo train dev ;; esac
}

prepare_states() { # SPEECH: its waveform statistics and, where they are dumped, its states or features
    local train_set statistics part dump options=() # states, unless something is said
    train_set=$(set_of "$1" train) statistics=$(statistics_step "$1")
    step "$statistics" --reads "$(marks_of "$1")" --writes "$train_set/waveform_stats.json" \
        "${prepare_job[@]}" -- "$python" -m merit.bin.waveform_statistics --data "$train_set" --nj "$nj"
    [ "$feats" != online ] || return 0
    [ "$feats" != features ] || options=(--content features)
    for part in $(dumped_sets "$1"); do
        dump=$(states_of "$1" "$part")
        step "$(states_step "$1" "$part")" --reads "$(marks_of "$1") $statistics.done" \
            --writes "$dump/header.json" "${dump_job[@]}" -- \
            "$python" -m merit.bin.dump_states --data "$(set_of "$1" "$part")" --ssl "$ssl" --output "$dump" \
            --statistics "$train_set/waveform_stats.json" --dtype "$dump_dtype" \
            ${options[@]+"${options[@]}"} --nj "$dumping"
    done
}

train_heads() { # phase 1: SPEECH TASK:SEED...
    local speech=$1 head part reads inputs
    shift
    [ $# -gt 0 ] || return 0
    inputs=(--classes "$(list "$classes")" --ssl "$ssl")
    inputs+=(--train "$(set_of "$speech" train)" --dev "$(set_of "$speech" dev)")
    if [ "$feats" = online ]; then
        reads="$(statistics_step "$speech").done $(marks_of "$speech")"
    else
        reads=""
        for part in $(dumped_sets "$speech"); do
            reads+="${reads:+ }$(states_step "$speech" "$part").done"
            inputs+=("--${part}_dump" "$(states_of "$speech" "$part")")
        done
    fi
    if [ "$feats" = dump ]; then
        for head in "$@"; do
            train_head "$speech" "${head%:*}" "${head#*:}" "$reads" "${inputs[@]}"
        done
    else
        train_heads_together "$speech" "$*" "$reads" "${inputs[@]}"
    fi
}

train_head() { # one head on dumped states, by itself: SPEECH TASK SEED "FILE IT READS..." INPUT...
    local conf exp last_arguments
    conf=$(head_conf "$2") exp=$(head_exp "$1" "$2" "$3")
    read -r -a last_arguments <<<"--order_seed $3 $train_args"
    step "$exp/log/train" --reads "$conf $4" --writes "$exp/model.safetensors" \
        "${train_job[@]}" -- "${trainer[@]}" merit.bin.sparse_merit.train_heads "${@:5}" \
        "--$2" "$conf" "--$2.seeds" "[$3]" "--$2.output" "$exp" "${last_arguments[@]}"
}

# Those heads that are missing or whose inputs have changed, on one forward pass of the encoder for all. Each head has a
# mark of its own, as if a step had trained it alone, so that another seed later trains that one alone:
# SPEECH "TASK:SEED..." "FILE THEY READ..." INPUT...
train_heads_together() {
    local head task conf exp sum task_seeds results=() arguments=() last_arguments
    read -r -a last_arguments <<<"$train_args"
    for task in emotion enhancement; do
        conf=$(head_conf "$task") task_seeds=""
        for head in $2; do
            [ "${head%:*}" = "$task" ] || continue
            exp=$(head_exp "$1" "$task" "${head#*:}")
            sum=$(checksum "$conf $3" "" "$head" "${@:4}" ${last_arguments[@]+"${last_arguments[@]}"})
            ! is_done "$exp/log/train" "$sum" "$exp/model.safetensors" || continue
            task_seeds+="${head#*:} "
            results+=(--done+ "$exp/log/train.done" --mark+ "$sum" --writes+ "$exp/model.safetensors")
        done
        [ -n "$task_seeds" ] || continue
        arguments+=("--$task" "$conf" "--$task.seeds" "$(list "$task_seeds")")
        arguments+=("--$task.output" "$(head_exp "$1" "$task" "{seed}")")
    done
    [ ${#results[@]} -gt 0 ] || return 0
    run_job "exp/log/phase1$(kind_of "$1")$suffix" "${train_job[@]}" "${results[@]}" -- \
        "${trainer[@]}" merit.bin.sparse_merit.train_heads "${@:4}" "${arguments[@]}" \
        ${last_arguments[@]+"${last_arguments[@]}"}
}

train_joint() { # phase 2: METHOD SEED
    local exp=exp/$1$suffix-$2 conf speech task head inputs reads last_arguments
    conf=$(planned conf "$1") speech=$(planned speech "$1")
    reads="$recipe/conf/phase2.yaml $conf $(statistics_step "$speech").done $(marks_of "$speech")"
    inputs=(--train "$(set_of "$speech" train)" --dev "$(set_of "$speech" dev)")
    for task in $(planned heads "$1"); do
        head=$(head_exp "$speech" "$task" "$2")
        inputs+=("--${task}_head" "$head")
        reads+=" $head/log/train.done"
    done
    if [ "$1" = "$enhancer" ] && [ -n "$se_pretrain" ]; then
        inputs+=(--pretrained "$se_pretrain")
        reads+=" $se_pretrain/config.json"
    fi
    read -r -a last_arguments <<<"--seed $2 $train_args"
    # A method is trained no other way for another title; the speech it is trained on is named by --train and --dev.
    step "$exp/log/train" --reads "$reads" --but '^(title|speech): ' --writes "$exp/model.safetensors" \
        "${train_job[@]}" -- \
        "${trainer[@]}" merit.bin.sparse_merit.train_joint --config "$recipe/conf/phase2.yaml" --config "$conf" \
        --classes "$(list "$classes")" --ssl "$ssl" "${inputs[@]}" --output "$exp" "${last_arguments[@]}"
}

enhance() { # train|test "MARK..." SET...: enhance noisy sets with the trained enhancer
    step "$enhancer_exp/log/enhance_$1" --reads "$enhancer_exp/log/train.done $2" \
        --writes "$(in_folder "$enhancer_exp/enhanced" "${@:3}")" "${decode_job[@]}" -- "$python" -m \
        merit.bin.sparse_merit.enhance_data --model "$enhancer_exp" --data "$(list "$(in_folder data "${@:3}")")" \
        --output "$enhancer_exp/enhanced"
}

decode_and_score() { # METHOD SEED
    local exp=exp/$1$suffix-$2 tasks set heard=data marks="$tests_done dump/log/$dev.done" decoded="" scored=""
    tasks=$(planned tasks "$1")
    if [ "$(planned speech "$1")" = enhanced ]; then
        heard=$enhancer_exp/enhanced
        marks="$enhancer_exp/log/enhance_train.done $enhancer_exp/log/enhance_test.done"
    fi
    for set in $tests $dev; do # every file by which one sees that a condition is there
        decoded+="$exp/decode/$set/decode.json "
        case " $tasks " in *" emotion "*) scored+="$exp/score/$set/emotion.csv " ;; esac
        [ -e "data/$set/spk1.scp" ] || continue
        scored+="dump/score_noisy/$set/enhancement.csv "
        case " $tasks " in *" enhancement "*) scored+="$exp/score/$set/enhancement.csv " ;; esac
    done
    step "$exp/log/decode" --reads "$exp/log/train.done $marks" --writes "$decoded" "${decode_job[@]}" -- \
        "$python" -m merit.bin.sparse_merit.decode --model "$exp" --data "$(list "$(in_folder "$heard" $tests "$dev")")" \
        --output "$exp/decode"
    step "$exp/log/score" --reads "$exp/log/decode.done" --writes "$exp/score $scored" "${prepare_job[@]}" -- \
        "$python" -m merit.bin.sparse_merit.score --data "$(list "$(in_folder data $tests "$dev")")" \
        --decode "$exp/decode" --output "$exp/score" --noisy dump/score_noisy --composite "$composite" --nj "$nj"
    step "$exp/log/report" --reads "$exp/log/score.done" --writes "$exp/RESULTS.md" "${prepare_job[@]}" -- \
        "$python" -m merit.bin.sparse_merit.report --model "$exp" --score "$exp/score" --noisy dump/score_noisy \
        --output "$exp/RESULTS.md" --noise_seen "$(list "$seen_names")" --command "$command_line"
}

compare() { # stage 7: tables, figures and the page over all methods and seeds
    local method seed exp marks="" paper=()
    for method in $methods; do
        for seed in $seeds; do
            exp=exp/$method$suffix-$seed
            marks+=" $exp/log/score.done $(planned conf "$method")" # which has its title
            if [ "$(planned routes "$method")" = true ]; then
                step "$exp/log/probe_routing" --reads "$exp/log/train.done $tests_done" \
                    --writes "$exp/routing_probe.csv" "${decode_job[@]}" -- \
                    "$python" -m merit.bin.sparse_merit.probe_routing --model "$exp" \
                    --data "$(list "$(in_folder data $(planned probed))")" --output "$exp/routing_probe.csv"
                marks+=" $exp/log/probe_routing.done"
            fi
        done
    done
    [ ! -d "$recipe/paper" ] || paper=(--paper "$recipe/paper") # published numbers
    step exp/log/compare --reads "$marks" --writes "exp/RESULTS.md exp/tables exp/figures exp/report.html" \
        "${prepare_job[@]}" -- "$python" -m merit.bin.sparse_merit.compare --exp exp --methods "$(list "$methods")" \
        --seeds "$(list "$seeds")" --tag "$tag" --noise_seen "$(list "$seen_names")" --noisy dump/score_noisy \
        ${paper[@]+"${paper[@]}"} --output exp --command "$command_line"
    say "written: exp/RESULTS.md, exp/tables, exp/figures, exp/report.html"
}
