"""Measurements of speed and memory, as ratios within one run; figures stand in docs/quality.md."""
