"""Object detectors other than the bundled one: YOLOs of ultralytics, and any of `transformers`."""
