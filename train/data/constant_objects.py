"""The control `constant_objects` where pictures are looked at: every picture with the objects of one and the same."""

from pathlib import Path

import numpy as np
from datasets import DatasetDict

from train.data.controls import same_objects
from train.data.image_reader import PictureCache, PictureReader
from train.data.visual_features import PictureEncoder, add_features


class ConstantObjects:
    """Features by the rows' `picture`: the whole picture is its own, the objects are those of the reference.

    Args:
        features: Of pictures without objects.
        objects: Features of the objects, (objects, visual).
    """

    def __init__(self, features: PictureCache, objects: np.ndarray):
        self.features, self.objects = features, objects

    def __contains__(self, key: str) -> bool:
        return key in self.features

    def __getitem__(self, key: str) -> np.ndarray:
        return np.concatenate([np.stack(list(self.features[key]))[:1], self.objects])


def add_features_with_constant_objects(
    splits: DatasetDict,
    reference: int,
    encoder: PictureEncoder,
    folder: Path,
    reader: PictureReader,
    batch_size: int = 8,
) -> tuple[DatasetDict, ConstantObjects]:
    """As `add_features`, but the objects of all pictures are cut out of that of the training row `reference`.

    Args:
        splits: Rows whose `object_boxes` are those of the reference, as `same_objects` makes them.
        reference: Number of the row.
        encoder, folder, reader, batch_size: As of `add_features`.

    Raises:
        ValueError: The picture of the reference is broken.
    """
    row = splits["train"].select([reference])
    of_reference, features = add_features(DatasetDict({"train": row}), encoder, folder, reader, batch_size)
    key = of_reference["train"][0]["picture"]
    if key is None:
        raise ValueError(
            f"constant_objects takes its objects from line {row[0]['line']} of train, whose picture is broken or "
            "missing; mend it, or leave that line out."
        )
    objects = np.stack(list(features[key]))[1:]
    bare = same_objects(splits, {"object_boxes": []})
    named, own = add_features(bare, encoder, folder, reader, batch_size)
    return same_objects(named, {"object_boxes": row[0]["object_boxes"]}), ConstantObjects(own, objects)
