"""Training of the bundled object detector."""
