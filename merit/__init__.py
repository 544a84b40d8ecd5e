"""MERIT: joint speech emotion recognition and speech enhancement with a mixture of experts (arXiv 2509.08470)."""

__version__ = "0.1.0"
