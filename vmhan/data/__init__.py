"""Data sets, read to one schema: a row for each entity pair."""

from vmhan.extras import require

require("vmhan.data", "train", ("datasets", "tqdm"))
