"""Object detectors beside the bundled one: YOLOs of ultralytics, and any of `transformers`."""
