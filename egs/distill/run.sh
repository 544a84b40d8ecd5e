#!/usr/bin/env bash
# A small encoder out of a large one: it hears noisy speech and learns the states that its teacher has of the clean
# speech. Recipes that prepare speech come first, up to stage 1.
#
#   ./run.sh --teacher /models/whisper-base-encoder --speech "nemo=../nemo/data/train emodb=../emodb/data/train" \
#       --noise-train "babble esc10=/corpora/esc10" --dev ../nemo/data/dev --probe-noise "urban=/corpora/urbansound8k"

# shellcheck source=/dev/null disable=SC2034,SC2046,SC2086,SC2154 # common.sh sets and reads options, names are lists
set -euo pipefail
. "$(dirname "$0")/../TEMPLATE/common.sh"

stage=1                 # first stage: 1 speech, 2 noise, 3 teacher's states, 4 students, 5 export, 6 comparison
stop_stage=6            # last stage to run
teacher=                # encoder to learn from: transformers directory or hub name
speech=                 # data directories to learn from, as "nemo=../nemo/data/train emodb=../emodb/data/train"
folders=                # folders of audio to learn from too, whose files are called <speaker>_..., as "mboshi=/folder"
dev=../nemo/data/dev    # data directory with emotions, to follow the training by and to compare encoders on
probe=../nemo/data/train # data directory with emotions that linear classifiers and heads are fitted to
noise_train=            # noises that the students hear, as "babble esc10=/folder background@0.5=/folder"
probe_noise=            # noise that no student hears, as name=folder: encoders are compared in it
snr_train="-5:25"       # signal-to-noise ratios in training, dB
gain_train="-3:3"       # levels in training, dB
telephone_share=0.05    # of the utterances, heard through a telephone's band
snrs_probe="-5 0 5 10"  # signal-to-noise ratios of the comparison, dB
students=wavlm          # each a conf/<student>.yaml

distil() {
    local corpora runs run name student set drawn last_arguments command_line measured="" heads="" compared=""
    command_line=$(full_command "$@")
    read_options "$@"
    check_common_options 6
    for name in teacher speech noise_train probe_noise; do
        [ -n "${!name}" ] || refuse "--${name//_/-} is needed"
    done
    [ -n "$seeds" ] && [ -n "$students" ] || refuse "--students and --seeds name at least one each"
    case $probe_noise in ?*=?*) ;; *) refuse "--probe-noise is name=folder, not '$probe_noise'" ;; esac
    check_once --students "$students"
    for name in $students; do
        check_name --students "$name"
        [ -f "$(dirname "$0")/conf/$name.yaml" ] || refuse "--students: there is no conf/$name.yaml"
    done
    local recipe template trainer
    enter_recipe
    corpora="" runs=""
    for name in $speech $folders; do corpora+="${name%%=*} "; done
    for name in $seeds; do
        for student in $students; do runs+="$student${tag:+_$tag}-$name "; done
    done
    drawn=(--noises "$(list "$noise_train")" --snr="$snr_train" --gain="$gain_train")
    drawn+=(--telephone_share "$telephone_share" --babble_data data/voices)

    if selected 1; then
        say "stage 1: speech"
        step dump/log/data --writes "data/voices $(in_folder data $corpora)" "${prepare_job[@]}" -- \
            "$recipe/local/data.sh" data true "$speech" "$folders"
        step dump/log/probe_data --writes "data/probe data/dev" "${prepare_job[@]}" -- \
            "$recipe/local/data.sh" data false "probe=$probe dev=$dev"
    fi

    if selected 2; then
        say "stage 2: noise"
        step dump/log/babble --reads data/voices/wav.scp --writes dump/noise/babble "${prepare_job[@]}" -- \
            "$python" -m merit.bin.make_babble --data data/voices --output dump/noise/babble
        for name in $corpora; do
            step "dump/log/${name}_online" --reads "data/$name/wav.scp dump/log/babble.done" \
                --writes "data/${name}_online" "${prepare_job[@]}" -- "$python" -m merit.bin.mix_online \
                --data "data/$name" --part train "${drawn[@]}"
        done
        step dump/log/dev_drawn --reads "data/dev/wav.scp dump/log/babble.done" --writes data/dev_drawn \
            "${prepare_job[@]}" -- "$python" -m merit.bin.mix_online --data data/dev --part dev "${drawn[@]}" --nj "$nj"
        for set in probe:train dev:dev; do
            step "dump/log/${set%:*}_babble" --reads "data/${set%:*}/wav.scp dump/log/babble.done" \
                --writes "data/${set%:*}_babble_5dB" "${prepare_job[@]}" -- "$python" -m merit.bin.mix_noise \
                --data "data/${set%:*}" --noise babble=dump/noise/babble --part "${set#*:}" --snrs "[5]" --nj "$nj"
        done
        step dump/log/dev_probe_noise --reads data/dev/wav.scp --writes "$(conditions)" "${prepare_job[@]}" -- \
            "$python" -m merit.bin.mix_noise --data data/dev --noise "$probe_noise" --part test \
            --fractions "[0,0,1]" --snrs "$(list "$snrs_probe")" --nj "$nj"
    fi

    if selected 3; then
        say "stage 3: the teacher's states of the clean speech"
        for name in $corpora dev; do
            step "dump/log/statistics_$name" --reads "data/$name/wav.scp" --writes "data/$name/waveform_stats.json" \
                "${prepare_job[@]}" -- "$python" -m merit.bin.waveform_statistics --data "data/$name" --nj "$nj"
            step "dump/log/states_$name" --reads "dump/log/statistics_$name.done" \
                --writes "dump/states/$name/header.json" "${dump_job[@]}" -- "$python" -m merit.bin.dump_states \
                --data "data/$name" --ssl "$teacher" --output "dump/states/$name" \
                --statistics "data/$name/waveform_stats.json" --nj "$dumping"
        done
    fi

    if selected 4; then
        say "stage 4: students"
        for run in $runs; do
            student=$(student_of "$run")
            read -r -a last_arguments <<<"--seed ${run##*-} $train_args"
            step "exp/$run/log/train" --writes "exp/$run/model.safetensors" \
                --reads "$recipe/conf/training.yaml $recipe/conf/$student.yaml $(in_folder dump/log $(printf 'states_%s.done ' $corpora dev))" \
                "${train_job[@]}" -- "${trainer[@]}" merit.bin.distillation.distil \
                --config "$recipe/conf/training.yaml" --config "$recipe/conf/$student.yaml" \
                --train "$(list "$(in_folder data $(printf '%s_online ' $corpora))")" \
                --train_states "$(list "$(in_folder dump/states $corpora)")" \
                --dev "[data/dev_drawn]" --dev_states "[dump/states/dev]" --output "exp/$run" \
                "${last_arguments[@]}"
        done
    fi

    if selected 5; then
        say "stage 5: students as encoders"
        for run in $runs; do
            step "exp/$run/log/export" --reads "exp/$run/log/train.done" \
                --writes "exp/$run/encoder/config.json" "${prepare_job[@]}" -- "$python" -m \
                merit.bin.distillation.export_student --run "exp/$run" --output "exp/$run/encoder"
        done
    fi

    if selected 6; then
        say "stage 6: teacher and students side by side"
        compare teacher "$teacher"
        for run in $runs; do
            compare "$run" "exp/$run/encoder"
        done
        step exp/log/compare --reads "$compared" --writes exp/RESULTS.md "${prepare_job[@]}" -- \
            "$python" -m merit.bin.distillation.compare_encoders --measured "$(list "$measured")" \
            --heads "$(list "$heads")" --noise "${probe_noise%%=*}" --output exp/RESULTS.md --command "$command_line"
        "$MERIT_ROOT/utils/show_result.sh" exp/RESULTS.md
    fi
}

student_of() { # RUN: whose directory exp/<student>_<tag>-<seed> is
    local name=${1%-*}
    echo "${name%"${tag:+_$tag}"}"
}

conditions() { # what encoders are compared in
    local snr
    for snr in $snrs_probe; do
        printf 'data/dev_%s_%sdB ' "${probe_noise%%=*}" "$snr"
    done
}

compare() { # NAME ENCODER: what is measured of it; adds to measured, heads and compared
    local folder=exp/compare/$1 reads="dump/log/probe_babble.done dump/log/dev_babble.done dump/log/dev_probe_noise.done"
    [ "$1" = teacher ] || reads+=" exp/$1/log/export.done"
    step "$folder/log/probe" --reads "$reads" --writes "$folder/probe.json" "${decode_job[@]}" -- \
        "$python" -m merit.bin.distillation.probe_encoder --ssl "$2" --train data/probe_babble_5dB \
        --conditions "$(list "data/dev data/dev_babble_5dB $(conditions)")" --output "$folder/probe.json"
    step "$folder/log/head" --reads "$recipe/conf/head.yaml $reads" --writes "$folder/head/model.safetensors" \
        "${train_job[@]}" -- "$python" -m merit.bin.sparse_merit.train_heads --classes "[]" --ssl "$2" \
        --train data/probe_babble_5dB --dev data/dev_drawn --enhancement "$recipe/conf/head.yaml" \
        --enhancement.seeds "[${seeds%% *}]" --enhancement.output "$folder/head"
    measured+="$1=$folder/probe.json " heads+="$1=$folder/head "
    compared+="$folder/log/probe.done $folder/log/head.done "
}

distil "$@"
