"""S-MoE: one model that transcribes and translates, with experts chosen by tags (arXiv 2508.10009)."""
