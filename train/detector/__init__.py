"""Training of the bundled object detector."""

from vmhan.extras import require

require("train.detector", "detector")
