"""Training of the bundled object detector."""

from vmhan.cli.extras import require

require("train.detector", "detector")
