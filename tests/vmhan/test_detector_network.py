"""The detector's network and its settings."""

import pytest
import torch

from vmhan.detector_network import DetectorNetwork, DetectorSettings

TINY = {"classes": ["person", "face"], "stem_width": 4, "widths": [4, 8, 8, 8], "depths": [1] * 4, "neck_width": 8}


def test_every_point_of_every_stride_predicts():
    prediction = DetectorNetwork(DetectorSettings(**TINY))(torch.zeros(2, 3, 96, 64, dtype=torch.uint8))
    points = 12 * 8 + 6 * 4 + 3 * 2
    assert prediction.class_logits.shape == (2, points, 2)
    assert prediction.boxes.shape == (2, points, 4)
    assert prediction.points[0].tolist() == [4.0, 4.0]
    assert prediction.points[12 * 8 - 1].tolist() == [60.0, 92.0]
    assert prediction.points[-1].tolist() == [48.0, 80.0]


def test_every_box_holds_its_own_point():
    prediction = DetectorNetwork(DetectorSettings(**TINY))(torch.rand(1, 3, 64, 64) * 255)
    assert (prediction.boxes[..., :2] < prediction.points).all()
    assert (prediction.boxes[..., 2:] > prediction.points).all()


def test_untrained_network_believes_in_nothing():
    prediction = DetectorNetwork(DetectorSettings(**TINY)).eval()(torch.rand(1, 3, 64, 64) * 255)
    assert prediction.class_logits.sigmoid().mean() < 0.05


def test_default_network_fits_into_eight_megabytes_of_16_bits():
    network = DetectorNetwork(DetectorSettings(classes=[f"class {number}" for number in range(20)]))
    assert 2 * sum(tensor.numel() for tensor in network.state_dict().values()) < 8e6


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("classes", []),
        ("classes", ["cat", "cat"]),
        ("widths", [8, 8, 8]),
        ("depths", [0, 1, 1, 1]),
        ("input_sizes", [320, 100]),
        ("score_threshold", 1.5),
        ("overlap_threshold", 0.0),
        ("max_detections", 0),
    ],
)
def test_impossible_setting_is_refused_by_name(setting, value):
    with pytest.raises(ValueError, match=setting):
        DetectorSettings(**{**TINY, setting: value})
