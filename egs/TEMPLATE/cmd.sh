# shellcheck shell=bash disable=SC2034,SC2154 # merit.sh reads the variables
# What the jobs ask for. Cores, memory (GB), hours and sbatch options count on Slurm (--backend slurm) alone.

slurm=""    # more options of sbatch, as "partition=gpu account=speech"
one_gpu=$((ngpu > 0 ? 1 : 0))
cores=$((ngpu > 1 ? 8 * ngpu : 8)) # of a training job
dumping=$((ngpu > 1 ? ngpu : 1))   # processes of a dump, one on each GPU

any_job=(--backend "$backend" --slurm "$slurm" --max_requeue "$max_requeue" --orphan "$orphan")
prepare_job=("${any_job[@]}" --cpus "$nj" --memory 16 --hours 12)
dump_job=("${any_job[@]}" --gpus "$ngpu" --cpus "$((4 * dumping))" --memory "$((32 * dumping))" --hours 12)
train_job=("${any_job[@]}" --gpus "$ngpu" --cpus "$cores" --memory 64 --hours 72)
decode_job=("${any_job[@]}" --gpus "$one_gpu" --cpus 4 --memory 32 --hours 12)
