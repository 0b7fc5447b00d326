"""Controls: what a run scores when the image cannot help."""

import random

from datasets import Dataset

IMAGE_COLUMNS = ("description", "object_names", "object_boxes", "image")


def shuffle_images(dataset: Dataset, seed: int) -> Dataset:
    """Gives every image what is known of another one; rows of one image still agree."""
    columns = [name for name in IMAGE_COLUMNS if name in dataset.column_names]
    known = {
        row["image_id"]: {name: row[name] for name in columns}
        for row in dataset.select_columns(["image_id", *columns])
    }
    images = sorted(known)
    random.Random(seed).shuffle(images)
    other = dict(zip(images, images[1:] + images[:1], strict=True))  # one cycle: no image keeps its own
    return dataset.map(lambda row: known[other[row["image_id"]]], features=dataset.features, desc="Shuffling images")
