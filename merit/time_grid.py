"""The grid of time that everything lies on: samples of audio, and frames of an encoder."""

SAMPLE_RATE = 16000
"""Hz of all audio, once it is read."""

FRAME_SAMPLES = 320
"""Samples from one frame of an encoder to the next: 20 ms."""
