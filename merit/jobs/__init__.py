"""Jobs of the recipes: a command somewhere else, what Slurm does to it, its log and the mark it leaves."""
