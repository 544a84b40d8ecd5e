"""Trained models that come with the package, each a folder with weights and a card that says what they were made of."""
