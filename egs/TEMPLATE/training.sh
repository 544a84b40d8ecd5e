# shellcheck shell=bash disable=SC2034,SC2154 # merit.sh sets the options and reads what is set here
# What stages 3 to 6 do for one method, one seed and one kind of speech. Sourced by merit.sh, whose options and local
# variables the functions read.

speech_of() { # what a method is trained on: noisy, clean or enhanced
    case " $clean_methods " in *" $1 "*) echo clean && return ;; esac
    case " $enhanced_methods " in *" $1 "*) echo enhanced && return ;; esac
    echo noisy
}

conf_of() { # a recipe's own method goes before the common one
    if [ -f "$recipe/conf/$1.yaml" ]; then echo "$recipe/conf/$1.yaml"; else echo "$template/conf/$1.yaml"; fi
}

tasks_of() { # the heads a method has: both, unless its file names them
    local tasks
    tasks=$(sed -n 's/^ *tasks: *\[\(.*\)\].*/\1/p' "$(conf_of "$1")" | tr -d ,)
    echo "${tasks:-emotion enhancement}"
}

heads_of() { # heads of phase 1 that methods start from, each once, as speech:task
    local method task
    for method in "$@"; do
        [ "$method" != "$enhancer" ] || [ -z "$se_pretrain" ] || continue
        for task in $(tasks_of "$method"); do
            echo "$(speech_of "$method"):$task"
        done
    done | sort -u
}

# Sets, for a kind of speech: train_set, dev_set, sets_done (the marks that they are complete), kind (for the names of
# what is made of them), statistics_log, and for what is dumped, states or features, states and states_log.
sets_of() {
    local content=states
    [ "$feats" != features ] || content=features
    train_set=data/$train dev_set=data/$dev sets_done=$mixed_done kind=""
    case $1 in
    clean) train_set=data/train dev_set=data/dev sets_done=dump/log/validate.done kind=_clean ;;
    enhanced)
        train_set=$enhancer_exp/enhanced/$train dev_set=$enhancer_exp/enhanced/$dev
        sets_done=$enhancer_exp/log/enhance_train.done kind=_enhanced
        ;;
    esac
    statistics_log=dump/log/statistics_$(basename "$train_set")
    states=dump/$content/$(basename "$ssl" .pt)
    states_log=dump/log/${content}_$(basename "$ssl" .pt)
    if [ "$1" = enhanced ]; then
        statistics_log=$enhancer_exp/log/statistics_enhanced
        states+=/$(basename "$enhancer_exp")
        states_log=$enhancer_exp/log/${content}_$(basename "$ssl" .pt)
    fi
}

prepare_states() { # waveform statistics of a kind of speech and, where they are dumped, its states or features
    local set content=() # states, unless something is said
    sets_of "$1"
    step "$statistics_log" --reads "$sets_done" --writes "$train_set/waveform_stats.json" \
        "${prepare_job[@]}" -- "$python" -m merit.bin.waveform_statistics --data "$train_set" --nj "$nj"
    [ "$feats" != online ] || return 0
    [ "$feats" != features ] || content=(--content features)
    for set in "$train_set" "$dev_set"; do
        step "${states_log}_$(basename "$set")" --reads "$sets_done $statistics_log.done" \
            --writes "$states/$(basename "$set")/header.json" "${dump_job[@]}" -- \
            "$python" -m merit.bin.dump_states --data "$set" --ssl "$ssl" --output "$states/$(basename "$set")" \
            --statistics "$train_set/waveform_stats.json" --dtype "$dump_dtype" \
            ${content[@]+"${content[@]}"} --nj "$dumping"
    done
}

train_phase1() { # the heads that methods start from, of one kind of speech: SPEECH
    local runs="" of_speech="" run seed
    for seed in $seeds; do
        # shellcheck disable=SC2086 # a list
        for run in $(heads_of $direct); do runs+=" $run:$seed"; done
    done
    for run in $(heads_of ${waiting:+"$enhancer"}); do
        case "$runs " in *" $run:$enhancer_seed "*) ;; *) runs+=" $run:$enhancer_seed" ;; esac
    done
    for run in $runs; do
        case $run in "$1":*) of_speech+=" ${run#*:}" ;; esac
    done
    # shellcheck disable=SC2086 # a list
    train_heads "$1" $of_speech
}

train_heads() { # phase 1: SPEECH TASK:SEED...
    local run inputs reads speech=$1
    shift
    [ $# -gt 0 ] || return 0
    sets_of "$speech"
    inputs=(--classes "$(list "$classes")" --ssl "$ssl" --train "$train_set" --dev "$dev_set")
    reads="$statistics_log.done $sets_done"
    [ "$feats" = online ] ||
        reads="${states_log}_$(basename "$train_set").done ${states_log}_$(basename "$dev_set").done"
    if [ "$feats" = dump ]; then
        inputs+=(--train_states "$states/$(basename "$train_set")" --dev_states "$states/$(basename "$dev_set")")
        for run in "$@"; do
            train_head "$run"
        done
        return
    fi
    [ "$feats" = online ] ||
        inputs+=(--train_features "$states/$(basename "$train_set")" --dev_features "$states/$(basename "$dev_set")")
    train_heads_together "$@"
}

short_name() { # of a task
    case $1 in emotion) echo ser ;; *) echo se ;; esac
}

train_head() { # one head on dumped states, by itself: TASK:SEED
    local name conf exp last_arguments
    name=phase1_$(short_name "${1%:*}")
    conf=$recipe/conf/$name.yaml exp=exp/$name$kind$suffix-${1#*:}
    read -r -a last_arguments <<<"--seed ${1#*:} $train_args"
    step "$exp/log/train" --reads "$conf $reads" --writes "$exp/model.safetensors" \
        "${train_job[@]}" -- "${trainer[@]}" merit.bin.sparse_merit.train_head --config "$conf" --task "${1%:*}" \
        "${inputs[@]}" --output "$exp" "${last_arguments[@]}"
}

# Those heads of TASK:SEED... that are missing or whose inputs have changed, on one forward pass of the encoder for all.
# Each head has a mark of its own, as if a step had trained it alone, so that another seed later trains that one alone.
train_heads_together() {
    local run task name conf exp sum task_seeds confs="" weights="" exps=() sums=() arguments=() last_arguments
    read -r -a last_arguments <<<"$train_args"
    for task in emotion enhancement; do
        name=phase1_$(short_name "$task") task_seeds=""
        conf=$recipe/conf/$name.yaml name+=$kind$suffix
        for run in "$@"; do
            [ "${run%:*}" = "$task" ] || continue
            exp=exp/$name-${run#*:}
            sum=$(checksum "$conf $reads" "$run" "${inputs[@]}" ${last_arguments[@]+"${last_arguments[@]}"})
            if [ -e "$exp/model.safetensors" ] && [ "$(head -n 1 "$exp/log/train.done" 2>/dev/null)" = "$sum" ]; then
                say "$exp/log/train: done before, nothing has changed"
                continue
            fi
            rm -f "$exp/log/train.done"
            task_seeds+="${run#*:} " weights+="$exp/model.safetensors " exps+=("$exp") sums+=("$sum")
        done
        [ -n "$task_seeds" ] || continue
        confs+="$conf "
        arguments+=("--$task" "$conf" "--${task}_seeds" "$(list "$task_seeds")")
        arguments+=("--${task}_output" "exp/$name-{seed}")
    done
    [ -n "$confs" ] || return 0
    step "exp/log/phase1$kind$suffix" --reads "$confs$reads" --writes "$weights" \
        "${train_job[@]}" -- "${trainer[@]}" merit.bin.sparse_merit.train_heads "${inputs[@]}" "${arguments[@]}" \
        ${last_arguments[@]+"${last_arguments[@]}"}
    for ((run = 0; run < ${#exps[@]}; run++)); do
        mkdir -p "${exps[run]}/log"
        # Another command may have set the mark while this one waited, and may have gone on from it.
        [ "$(head -n 1 "${exps[run]}/log/train.done" 2>/dev/null)" != "${sums[run]}" ] || continue
        printf '%s\nfinished %s by process %s\n' "${sums[run]}" "$(date '+%Y-%m-%d %H:%M:%S')" $$ \
            >"${exps[run]}/log/train.done"
    done
}

train_joint() { # phase 2: METHOD SEED
    local exp=exp/$1$suffix-$2 head inputs reads last_arguments
    sets_of "$(speech_of "$1")"
    reads="$recipe/conf/phase2.yaml $(conf_of "$1") $statistics_log.done $sets_done"
    inputs=(--train "$train_set" --dev "$dev_set")
    for head in $(heads_of "$1"); do
        case $head in
        *:emotion) head=exp/phase1_ser$kind$suffix-$2 inputs+=(--emotion_head "$head") ;;
        *:enhancement) head=exp/phase1_se$kind$suffix-$2 inputs+=(--enhancement_head "$head") ;;
        esac
        reads+=" $head/log/train.done"
    done
    if [ "$1" = "$enhancer" ] && [ -n "$se_pretrain" ]; then
        inputs+=(--pretrained "$se_pretrain")
        reads+=" $se_pretrain/config.json"
    fi
    read -r -a last_arguments <<<"--seed $2 $train_args"
    step "$exp/log/train" --reads "$reads" --writes "$exp/model.safetensors" "${train_job[@]}" -- \
        "${trainer[@]}" merit.bin.sparse_merit.train_joint --config "$recipe/conf/phase2.yaml" --config "$(conf_of "$1")" \
        --classes "$(list "$classes")" --ssl "$ssl" "${inputs[@]}" --output "$exp" "${last_arguments[@]}"
}

enhance() { # NAME MARKS SET...: enhance noisy sets with the trained enhancer
    local name=$enhancer_exp/log/enhance_$1 marks=$2 set written=""
    shift 2
    for set in "$@"; do
        written+="$enhancer_exp/enhanced/$(basename "$set") "
    done
    step "$name" --reads "$enhancer_exp/log/train.done $marks" --writes "$written" "${decode_job[@]}" -- \
        "$python" -m merit.bin.sparse_merit.enhance_data --model "$enhancer_exp" --data "$(list "$*")" \
        --output "$enhancer_exp/enhanced"
}

decode_and_score() { # METHOD SEED
    local exp=exp/$1$suffix-$2 heard="$tests data/$dev" marks="$tests_done dump/log/$dev.done" set name
    local decoded="" scored="" # every file by which one sees that a condition is there
    for set in $tests data/$dev; do
        name=$(basename "$set")
        decoded+="$exp/decode/$name/decode.json "
        case " $(tasks_of "$1") " in *" emotion "*) scored+="$exp/score/$name/emotion.csv " ;; esac
        [ -e "$set/spk1.scp" ] || continue
        scored+="dump/score_noisy/$name/enhancement.csv "
        case " $(tasks_of "$1") " in *" enhancement "*) scored+="$exp/score/$name/enhancement.csv " ;; esac
    done
    if [ "$(speech_of "$1")" = enhanced ]; then
        heard=""
        for set in $tests data/$dev; do
            heard+="$enhancer_exp/enhanced/$(basename "$set") "
        done
        marks="$enhancer_exp/log/enhance_train.done $enhancer_exp/log/enhance_test.done"
    fi
    step "$exp/log/decode" --reads "$exp/log/train.done $marks" --writes "$decoded" "${decode_job[@]}" -- \
        "$python" -m merit.bin.sparse_merit.decode --model "$exp" --data "$(list "$heard")" --output "$exp/decode"
    step "$exp/log/score" --reads "$exp/log/decode.done" --writes "$exp/score $scored" "${prepare_job[@]}" -- \
        "$python" -m merit.bin.sparse_merit.score --data "$(list "$tests data/$dev")" --decode "$exp/decode" \
        --output "$exp/score" --noisy dump/score_noisy --composite "$composite" --nj "$nj"
    step "$exp/log/report" --reads "$exp/log/score.done" --writes "$exp/RESULTS.md" "${prepare_job[@]}" -- \
        "$python" -m merit.bin.sparse_merit.report --model "$exp" --score "$exp/score" --noisy dump/score_noisy \
        --output "$exp/RESULTS.md" --noise_seen "$(list "$seen_name")" --command "$command_line"
}

compare() { # stage 7: tables, figures and the page over all methods and seeds
    local method seed exp marks="" paper=() probed="" set
    for set in $tests; do
        case $set in *"_${probe_snr}dB") probed+="$set " ;; esac
    done
    for method in $methods; do
        for seed in $seeds; do
            exp=exp/$method$suffix-$seed
            marks+=" $exp/log/score.done"
            if grep -q '^ *front_end: *moe' "$(conf_of "$method")"; then
                step "$exp/log/probe_routing" --reads "$exp/log/train.done $tests_done" \
                    --writes "$exp/routing_probe.csv" "${decode_job[@]}" -- \
                    "$python" -m merit.bin.sparse_merit.probe_routing --model "$exp" \
                    --data "$(list "${probed:-$tests}")" --output "$exp/routing_probe.csv"
                marks+=" $exp/log/probe_routing.done"
            fi
        done
    done
    [ ! -d "$recipe/paper" ] || paper=(--paper "$recipe/paper") # published numbers
    step exp/log/compare --reads "$marks" --writes "exp/RESULTS.md exp/tables exp/figures exp/report.html" \
        "${prepare_job[@]}" -- "$python" -m merit.bin.sparse_merit.compare --exp exp --methods "$(list "$methods")" \
        --seeds "$(list "$seeds")" --tag "$tag" --noise_seen "$(list "$seen_name")" --noisy dump/score_noisy \
        ${paper[@]+"${paper[@]}"} --output exp --command "$command_line"
    say "written: exp/RESULTS.md, exp/tables, exp/figures, exp/report.html"
}
