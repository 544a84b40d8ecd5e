"""Clips with the ratings of listeners, as data directories."""
