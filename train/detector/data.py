"""The detection data set: parquet files to images with boxes, and which boxes are reliable.

A row is an image with boxes by people and boxes by teachers, detectors that fill in what people left out. Teachers
know the 80 classes of COCO and faces, and a class is learned only if a teacher knows it: else its unlabeled objects
would be punished as background. A teacher's box is doubted, and then neither learned nor punished, where it is unsure,
where people labeled its class exhaustively, and where it lies on what people call something else that is learned.
"""

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from PIL import Image
from torch import Tensor
from torchvision.ops import box_convert, box_iou

from vmhan.data.files import file_checksum

HELD_OUT_SOURCE = "fddb"  # has no test split: every second of its validation images is kept for the end
_ALL_OF_COCO = "*coco80"


@dataclass
class DetectionRow:
    """The boxes of an image.

    Args:
        source: Data set that the image is from.
        complete: Classes that people labeled exhaustively in it.
        boxes: `(objects, 4)`, corners (x0, y0, x1, y1) in pixels.
        categories: Class of each box.
        by_people: `(objects,)`, False where a teacher drew the box.
        scores: `(objects,)`, how sure the teacher was.
        index: Of its image in the split.
    """

    source: str
    complete: frozenset[str]
    boxes: Tensor
    categories: list[str]
    by_people: Tensor
    scores: Tensor
    index: int

    def is_complete(self, category: str) -> bool:
        """Returns True if everything of `category` in the image has a box."""
        return category in self.complete or (_ALL_OF_COCO in self.complete and category != "face")


@dataclass
class DetectionSplit:
    """Rows and the files of their images, still compressed.

    Args:
        name: "train", "validation", "held_out_faces" or "test".
        rows: The boxes.
        images: The image files, to which the rows hold indices.
    """

    name: str
    rows: list[DetectionRow]
    images: pa.Array = field(repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    def image(self, index: int) -> Image.Image:
        """Decodes the image of a row as RGB."""
        file = self.images[self.rows[index].index].as_buffer()
        return Image.open(io.BytesIO(memoryview(file))).convert("RGB")

    def select(self, indices: Sequence[int], name: str | None = None) -> "DetectionSplit":
        """Selects some of the rows."""
        return DetectionSplit(name or self.name, [self.rows[index] for index in indices], self.images)


def find_files(data_dir: str | Path) -> dict[str, list[Path]]:
    """Finds the parquet files of each split.

    Raises:
        FileNotFoundError: A split has none.
    """
    files = {name: sorted(Path(data_dir).glob(f"{name}-*.parquet")) for name in ("train", "validation", "test")}
    for name, of_split in files.items():
        if not of_split:
            raise FileNotFoundError(f"{str(data_dir)!r} has no {name}-*.parquet; set --data_dir.")
    return files


def checksums(data_dir: str | Path) -> dict[str, str]:
    """Computes the sha256 of each file, by its name, for the result file."""
    paths = [path for of_split in find_files(data_dir).values() for path in of_split]
    return {path.name: file_checksum(path) for path in paths}


def read_split(data_dir: str | Path, name: str, limit: int | None = None) -> DetectionSplit:
    """Reads a split as it is in the files, or its first rows."""
    table = pa.concat_tables(pq.read_table(path) for path in find_files(data_dir)[name])
    images = table.column("image").combine_chunks().field("bytes")
    records = table.drop_columns("image").slice(0, limit).to_pylist()
    return DetectionSplit(name, [_parse(record, index) for index, record in enumerate(records)], images)


def hold_out_faces(validation: DetectionSplit) -> tuple[DetectionSplit, DetectionSplit]:
    """Splits every second image of faces off validation: the rest is to choose by, these are to report."""
    faces = [index for index, row in enumerate(validation.rows) if row.source == HELD_OUT_SOURCE]
    held_out = set(faces[1::2])
    others = [index for index in range(len(validation)) if index not in held_out]
    return validation.select(others), validation.select(sorted(held_out), name="held_out_faces")


def choose_classes(rows: Sequence[DetectionRow], least_boxes: int) -> list[str]:
    """Chooses the classes that a teacher knows and that have enough boxes to be learned, the most frequent first."""
    boxes, by_teachers = Counter(), set()
    for row in rows:
        boxes.update(row.categories)
        by_teachers.update(name for name, people in zip(row.categories, row.by_people, strict=True) if not people)
    classes = [name for name, count in boxes.most_common() if count >= least_boxes and name in by_teachers]
    if not classes:
        raise ValueError(f"No class has {least_boxes} boxes; lower --least_boxes.")
    return classes


def count_boxes(rows: Sequence[DetectionRow], classes: Sequence[str]) -> dict[str, dict[str, int]]:
    """Counts the boxes of each class that people drew, and those of teachers."""
    people, teachers = Counter(), Counter()
    for row in rows:
        for name, by_people in zip(row.categories, row.by_people.tolist(), strict=True):
            (people if by_people else teachers)[name] += 1
    return {name: {"people": people[name], "teachers": teachers[name]} for name in classes}


@dataclass
class Targets:
    """The objects to detect in an image.

    Args:
        boxes: `(objects, 4)`, corners in pixels.
        labels: `(objects,)`, index of the class.
        counts: `(objects,)`, False where finding it is neither right nor wrong.
    """

    boxes: Tensor
    labels: Tensor
    counts: Tensor


def reliable_targets(row: DetectionRow, classes: Sequence[str], least_score: float) -> Targets:
    """Selects the boxes of the learned classes, and marks those in doubt; see the head of this file."""
    class_index = {name: index for index, name in enumerate(classes)}
    learned = [index for index, name in enumerate(row.categories) if name in class_index]
    boxes = row.boxes[learned]  # (objects, 4)
    labels = torch.tensor([class_index[row.categories[index]] for index in learned], dtype=torch.long)
    by_people = row.by_people[learned]
    exhaustive = torch.tensor([row.is_complete(row.categories[index]) for index in learned], dtype=torch.bool)
    renamed = (box_iou(boxes, boxes) > 0.5) & by_people[None, :] & (labels[:, None] != labels[None, :])
    doubted = ~by_people & (exhaustive | (row.scores[learned] < least_score) | renamed.any(dim=1))
    return Targets(boxes, labels, ~doubted)


def _parse(record: dict, index: int) -> DetectionRow:
    objects = record["objects"]
    boxes = torch.from_numpy(np.array(objects["bbox"], dtype=np.float32).reshape(-1, 4))
    boxes = box_convert(boxes, "xywh", "xyxy").clamp(min=0)
    size = torch.tensor([record["width"], record["height"]] * 2)
    return DetectionRow(
        source=record["source"],
        complete=frozenset(record["complete"]),
        boxes=torch.minimum(boxes, size),
        categories=objects["category"],
        by_people=torch.tensor([origin == "human" for origin in objects["origin"]], dtype=torch.bool),
        scores=torch.tensor([1.0 if score is None else score for score in objects["score"]]),
        index=index,
    )
