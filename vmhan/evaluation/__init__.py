"""Scores, intervals, calibration, result files and their tables; one place for training, Hub and docs."""

from vmhan.cli.extras import require

require("vmhan.evaluation", "train", ("datasets", "scipy", "sklearn", "tqdm"))
