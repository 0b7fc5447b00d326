"""Object detectors of `transformers`, from the Hub or a folder."""

from collections.abc import Sequence

import torch
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForObjectDetection

from vmhan.image_inputs import load_image_input
from vmhan.network import hub_settings
from vmhan.object_detection import DetectedObject, DetectorUnavailable, build_objects


class TransformersDetector:
    """Detects objects with any model of `AutoModelForObjectDetection`: RT-DETR and D-FINE are fast, and Apache-2.0.

    Args:
        name_or_path: Hub id or folder.
        threshold: Least score of an object.
        device: Device, such as "cuda:0".

    Raises:
        DetectorUnavailable: The model is neither a local folder nor available from the Hub.
        ValueError: The model is no object detector.
    """

    def __init__(self, name_or_path: str, threshold: float = 0.3, device: str | torch.device = "cpu"):
        try:
            settings = hub_settings(name_or_path)
            self.processor = AutoImageProcessor.from_pretrained(name_or_path, **settings)
            self.model = AutoModelForObjectDetection.from_pretrained(name_or_path, **settings).eval().to(device)
        except OSError as error:
            raise DetectorUnavailable(
                f"The detector {name_or_path!r} is neither a local folder nor available from the Hub ({error}). "
                "Check the name and the network, or take a detector that is on this machine."
            ) from error
        self.threshold = threshold

    @torch.inference_mode()
    def detect(self, images: Sequence[Image.Image]) -> list[list[DetectedObject]]:
        """Detects the objects of each image, by falling score."""
        if not images:
            return []
        upright = [load_image_input(image) for image in images]
        inputs = self.processor(images=upright, return_tensors="pt").to(self.model.device, self.model.dtype)
        sizes = [(image.height, image.width) for image in upright]
        results = self.processor.post_process_object_detection(
            self.model(**inputs), threshold=self.threshold, target_sizes=sizes
        )
        names = self.model.config.id2label
        return [
            build_objects(
                [names[int(kind)] for kind in result["labels"]],
                result["scores"].tolist(),
                result["boxes"].tolist(),
                image.size,
            )
            for result, image in zip(results, upright, strict=True)
        ]


__all__ = ["TransformersDetector"]
