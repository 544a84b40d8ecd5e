"""What trained models come to, over methods, seeds and folds."""
