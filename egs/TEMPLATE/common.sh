# shellcheck shell=bash source=/dev/null disable=SC2034,SC2154 # the stages read what is set here
# What the recipes of all systems share: options, how options are checked, the environment of the jobs, and the words
# that the stages are written in. Sourced by merit.sh; what jobs ask of a cluster is in cmd.sh.

seeds=7                    # of the training; every method is trained with each
tag=                       # experiments lie in exp/<method>_<tag>-<seed>, to keep other settings apart
train_args=                # appended to every training command, as "--training.epochs 2"
no_pipes=false             # true refuses wav.scp entries that are commands, for data from strangers
nj=4                       # processes of a job
ngpu=1                     # GPUs of a training job, where there are any; 0 hides them
backend=local              # where jobs run: local or slurm (what they ask for is in cmd.sh)
max_requeue=3              # how often a job on Slurm that has reached its time limit goes on in another one
orphan="wait"              # wait or cancel: for jobs on Slurm that a command which was killed has left behind
python=                    # Python of the jobs; empty: the one of tools/install.sh
work=                      # where data, dump and exp lie; empty: in the recipe's directory

MERIT_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$MERIT_ROOT/utils/step.sh" # say, step and what it is made of

read_options() { # "$@" of a recipe: sets the options, which are the variables at the start of a line of its scripts
    . "$MERIT_ROOT/utils/parse_options.sh"
    [ $# -eq 0 ] || refuse "'$1' is no option"
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

refuse() {
    echo "$0: $1; --help lists all options" >&2
    exit 2
}

# Names before work: what cannot work is refused before anything runs.

check_whole() { # WHAT NUMBER: refused are what is none, and what bash or Python would take for another
    case $2 in
    "" | *[!0-9]*) refuse "$1, not '$2'" ;;
    0?*) refuse "${1%% *}: write '$2' without zeros in front" ;;
    ??????????*) refuse "$1 of at most nine digits, not '$2'" ;;
    esac
}

check_choice() { # OPTION VALUE CHOICE...
    local choice choices=""
    for choice in "${@:3}"; do
        [ "$2" != "$choice" ] || return 0
        choices+=", $choice"
    done
    choices=${choices#, }
    refuse "$1 is ${choices%, *} or ${choices##*, }, not '$2'"
}

check_name() { # OPTION NAME: it becomes a part of files' names, which stand in lists
    case $2 in "" | [.-]* | *[!A-Za-z0-9._+-]*)
        refuse "$1: '$2' cannot be in a file's name here: letters, digits and . _ + - only, no . or - in front" ;;
    esac
}

check_once() { # OPTION "NAME...": none of them twice
    local name names=" "
    for name in $2; do
        case $names in *" $name "*) refuse "$1 names $name twice" ;; esac
        names+="$name "
    done
}

check_no_space() { # OPTION PATH: it stands in lists
    case $2 in *[[:space:]]*) refuse "$1: '$2' has a space; lists are split there" ;; esac
}

check_common_options() { # NUMBER OF STAGES
    local name
    check_choice --backend "$backend" local slurm
    check_choice --orphan "$orphan" wait cancel
    for name in stage stop_stage nj ngpu max_requeue; do
        check_whole "--${name//_/-} is a whole number" "${!name}"
    done
    [ "$stage" -ge 1 ] && [ "$stage" -le "$stop_stage" ] && [ "$stop_stage" -le "$1" ] ||
        refuse "no stages from $stage to $stop_stage; there are 1 to $1"
    [ "$nj" -ge 1 ] || refuse "--nj is at least 1"
    for name in $seeds; do
        check_whole "--seeds are whole numbers" "$name"
    done
    check_once --seeds "$seeds"
    [ -z "$tag" ] || check_name --tag "$tag"
}

check_runs() { # what experiments are called by: at least one method and one seed
    local name
    [ -n "$seeds" ] && [ -n "$methods" ] || refuse "--methods and --seeds name at least one each"
    check_once --methods "$methods"
    for name in $methods; do check_name --methods "$name"; done
}

check_encoder() { # the last part of --ssl names the dumps
    local name=${ssl%/}
    check_name --ssl "${name##*/}"
}

method_conf() { # SYSTEM METHOD: the method's file, which the recipe has or TEMPLATE
    local folder
    for folder in "$recipe/conf" "$template/conf/$1"; do
        [ ! -f "$folder/$2.yaml" ] || { echo "$folder/$2.yaml" && return; }
    done
    refuse "--methods: there is no $recipe/conf/$2.yaml, nor one in $template/conf/$1"
}

find_python() { # the Python of the jobs, whose environment is made when it is missing
    if [ -n "$python" ]; then
        echo "$python"
    else
        "$MERIT_ROOT/tools/install.sh" --quiet >&2 || return
        sed -n 2p "$MERIT_ROOT/tools/venv/installed"
    fi
}

export_environment() { # what all jobs, and local/data.sh, find
    export python               # for local/data.sh
    export PYTHONUNBUFFERED=1   # logs are followed while they grow
    [ "$no_pipes" = false ] || export MERIT_NO_PIPES=true # whatever table they read
    # Threads that wait give their core away. Spinning, which is the default, takes it from those that are waited for
    # when anything else runs on the machine, and slows recurrent layers down many times over. The price is that waking up
    # costs small models more than a second thread gains them.
    export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-PASSIVE}
    # On a CPU every padded length makes kernels of its own, and oneDNN and PyTorch each keep 1024 of them: half a
    # gigabyte for lengths that hardly ever return, scattered among freed tensors. A step uses about 90.
    export ONEDNN_PRIMITIVE_CACHE_CAPACITY=${ONEDNN_PRIMITIVE_CACHE_CAPACITY:-128}
    export LRU_CACHE_CAPACITY=${LRU_CACHE_CAPACITY:-128}
}

# Go to where data, dump and exp lie, and have ready what jobs need. Sets, for whoever runs the stages: recipe and
# template, the folders of the recipe and of TEMPLATE as seen from there; trainer, what the command of a training begins
# with; and what cmd.sh sets, what jobs ask for.
enter_recipe() {
    cd "$(dirname "$0")" || return
    recipe=. template=../TEMPLATE
    if [ -n "$work" ]; then
        recipe=$PWD template=$MERIT_ROOT/egs/TEMPLATE
        case $recipe in *[[:space:]]*)
            refuse "--work: the recipe lies in '$recipe', which has a space; lists are split there" ;;
        esac
        mkdir -p "$work"
        cd "$work" || return
    fi
    python=$(find_python)
    export_environment
    . "$MERIT_ROOT/egs/TEMPLATE/cmd.sh"
    trainer=("$python" -m)
    [ "$ngpu" -le 1 ] || trainer=("$python" -m torch.distributed.run --standalone --nproc_per_node "$ngpu" -m)
}

selected() { # STAGE: is it to be run?
    [ "$stage" -le "$1" ] && [ "$stop_stage" -ge "$1" ]
}

words() { # "a  b " with single spaces between the words, and none around them
    local found
    read -r -d "" -a found <<<"$1" || true # it reads to the end, which counts as a failure
    echo "${found[*]-}"
}

list() { # "a b" as the commands take it: [a,b]
    local found
    read -r -a found <<<"$1"
    local IFS=,
    echo "[${found[*]-}]"
}

in_folder() { # FOLDER NAME...: their paths
    local name
    for name in "${@:2}"; do
        printf '%s/%s ' "$1" "$name"
    done
}

prepare_data() { # "FOLDER...": stage 1, in which local/data.sh makes these of the corpus
    local name data_command=("$recipe/local/data.sh" "${!corpus}" data)
    for name in $data_options; do
        data_command+=("--$name" "${!name}")
    done
    step dump/log/data --reads "$recipe/local/*.sh $recipe/local/*.py" --writes "$1" "${prepare_job[@]}" -- \
        "${data_command[@]}"
}
