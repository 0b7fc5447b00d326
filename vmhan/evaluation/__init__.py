"""Scores, intervals, calibration, result files and their tables; one place for training, Hub and docs."""
