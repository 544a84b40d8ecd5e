"""MoE-MOS: speech quality from a frozen encoder and a mixture of experts (Hu et al. 2025, arXiv 2507.06116)."""
