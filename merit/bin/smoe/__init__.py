"""Commands of S-MoE, one a stage."""
