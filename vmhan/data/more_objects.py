"""Reader of the objects of MORE's images: boxes, from a `.pth` file that is read without unpickling, and captions."""

from pathlib import Path
from typing import NamedTuple

import torch

from vmhan.data.images import ImageNames, box_fault, clip_box
from vmhan.data.parsing import read_object


class SplitObjects(NamedTuple):
    """The objects of all images of a split.

    Args:
        path: The file they were read from.
        boxes: By image, the box of each object by its name, as the file has it.
        names: The images.
    """

    path: Path
    boxes: dict[str, dict]
    names: ImageNames

    def boxes_of(self, image: str) -> dict[str, list[float]]:
        """Reads the box, (cx, cy, w, h) in 0..1, of each object of an image, by its name.

        Raises:
            ValueError: The image is not in the file, or a box is malformed or reaches out of it.
        """
        key = self.names.find(image)
        if key is None:
            raise ValueError(f'the image "{image}" is not in {self.path.name}')
        boxes = {}
        for name, box in self.boxes[key].items():
            box = box.tolist() if isinstance(box, torch.Tensor) else box
            if why := box_fault(box):
                where = f'"{name}" of "{image}" in {self.path.name}'
                raise ValueError(f"the box {box!r:.80} of {where} {why}; it is (cx, cy, w, h) in 0..1")
            boxes[name] = clip_box(box)
        return boxes


def read_split_objects(path: Path) -> SplitObjects:
    """Reads the objects of a `.pth` file, which may hold plain values and tensors; nothing else is unpickled.

    Raises:
        ValueError: It holds something else.
    """
    try:
        value = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a file that is none, or holds more, raises many kinds
        reason = str(error).split("\n")[0] or type(error).__name__
        raise ValueError(
            f"{path} cannot be read safely ({reason:.200}). It may hold dicts, strings, numbers "
            "and tensors; save it again with torch.save from such."
        ) from error
    if not isinstance(value, dict) or not all(isinstance(of_image, dict) for of_image in value.values()):
        raise ValueError(f"{path} is not a dict of the objects of each image.")
    return SplitObjects(path, value, ImageNames((image for image in value if isinstance(image, str)), path))


class Captions(NamedTuple):
    """The captions of the objects of all images.

    Args:
        texts: By image, the caption of each object by its name.
        names: The images.
    """

    texts: dict[str, dict[str, str | None]]
    names: ImageNames

    def of_image(self, image: str) -> dict[str, str | None]:
        """Returns the caption of each object of an image, by its name."""
        name = self.names.find(image)
        return {} if name is None else self.texts[name]


def read_captions(path: Path) -> Captions:
    """Reads the captions of a JSON file, {image: {object: caption}}; null stands for none.

    Raises:
        ValueError: The file holds something else.
    """
    captions = {image: {} if of_image is None else of_image for image, of_image in read_object(path).items()}
    for image, of_image in captions.items():
        wrong = not isinstance(of_image, dict) or any(
            text is not None and not isinstance(text, str) for text in of_image.values()
        )
        if wrong:
            raise ValueError(f'{path}, key "{image}": not a caption for each object: {of_image!r:.80}')
    return Captions(captions, ImageNames(captions, path))
