"""What trained models come to, over methods and seeds."""
