"""Commands of MoE-MOS, one a stage."""
