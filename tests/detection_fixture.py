"""A detection data set of coloured shapes, drawn here: red squares are "person", green discs are "face"."""

import io
import random

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageDraw

COLOURS = {"person": (220, 30, 30), "face": (30, 200, 40)}


def draw(seed, size=(96, 80)):
    """An image with one square and one disc, and their boxes as x, y, width, height."""
    pick = random.Random(seed)
    image = Image.new("RGB", size, tuple(pick.randint(90, 160) for _ in range(3)))
    pen, boxes = ImageDraw.Draw(image), []
    for left, category in ((0, "person"), (size[0] // 2, "face")):
        side = pick.randint(18, 34)
        x, y = left + pick.randint(2, size[0] // 2 - side - 2), pick.randint(2, size[1] - side - 2)
        shape = pen.rectangle if category == "person" else pen.ellipse
        shape([x, y, x + side - 1, y + side - 1], fill=COLOURS[category])
        boxes.append([x, y, side, side])
    return image, boxes


def record(seed, source="flickr8k", complete=(), origins=("human", "teacher"), scores=(1.0, 0.9), size=(96, 80)):
    """A row as the parquet files have it."""
    image, boxes = draw(seed, size)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=95)
    return {
        "image": {"bytes": file.getvalue(), "path": f"{seed}.jpg"},
        "source": source,
        "width": size[0],
        "height": size[1],
        "complete": list(complete),
        "objects": {
            "bbox": boxes,
            "category": ["person", "face"],
            "origin": list(origins),
            "score": list(scores),
        },
    }


def write_data(folder, images=16):
    """Train, validation and test files of shapes."""
    both = ["person", "face"]
    for split, count in (("train", images), ("validation", images), ("test", 4)):
        records = [
            record(1000 * len(split) + number, "fddb" if number % 2 else "flickr8k", both, ("human", "human"))
            for number in range(count)
        ]
        if split == "train":  # so that a teacher knows the classes
            records[0]["objects"]["origin"] = ["teacher", "teacher"]
            records[0]["complete"] = []
        pq.write_table(pa.Table.from_pylist(records), folder / f"{split}-00000-of-00001.parquet")
    return folder
