"""The control `constant_objects` with pixels: every image with the objects of one and the same."""

from pathlib import Path

import numpy as np
from datasets import DatasetDict

from train.data.controls import same_objects
from train.data.image_reader import ImageReader
from train.data.visual_features import ImageEncoder, add_features
from vmhan.data.disk_cache import DiskCache


class ConstantObjects:
    """Features by the rows' `image_key`: the whole image is the row's own, the objects are those of the reference.

    Args:
        features: Of images without objects.
        objects: Features of the objects, (objects, visual).
    """

    def __init__(self, features: DiskCache, objects: np.ndarray):
        self.features, self.objects = features, objects

    def __contains__(self, key: str) -> bool:
        return key in self.features

    def __getitem__(self, key: str) -> np.ndarray:
        return np.concatenate([self.features[key][:1], self.objects])


def add_features_with_constant_objects(
    splits: DatasetDict,
    reference: int,
    encoder: ImageEncoder,
    folder: Path,
    reader: ImageReader,
    batch_size: int = 8,
) -> tuple[DatasetDict, ConstantObjects]:
    """Adds features as `add_features` does, but cuts the objects of all images out of that of one training row.

    Args:
        splits: Rows whose `object_boxes` are those of the reference, as `same_objects` gives them.
        reference: Index of the training row.
        encoder, folder, reader, batch_size: As of `add_features`.

    Raises:
        ValueError: The image of the reference is broken.
    """
    row = splits["train"].select([reference])
    of_reference, features = add_features(DatasetDict({"train": row}), encoder, folder, reader, batch_size)
    key = of_reference["train"][0]["image_key"]
    if key is None:
        raise ValueError(
            f"constant_objects takes its objects from line {row[0]['line']} of train, whose image is broken or "
            "missing; mend it, or leave that line out."
        )
    bare = same_objects(splits, {"object_boxes": []})
    named, own = add_features(bare, encoder, folder, reader, batch_size)
    return same_objects(named, {"object_boxes": row[0]["object_boxes"]}), ConstantObjects(own, features[key][1:])
