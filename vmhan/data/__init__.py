"""Data sets, read to one schema: a row for each entity pair."""

from vmhan.cli.extras import require

require("vmhan.data", "train", ("datasets", "tqdm"))
