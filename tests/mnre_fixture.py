"""A tiny MNRE in the published layout, about invented people and places, for tests without the real files."""

import json
import random
from itertools import combinations
from pathlib import Path

from PIL import Image, ImageDraw

_NAMES = {
    "PER": ["Mira Oland", "Tobin Vask", "Leda Quill", "Orso Penn", "Ines Farrow", "Jory Blake"],
    "ORG": ["Blue Kettle", "Northwind United", "Ferro", "Lantern House"],
    "LOC": ["Eastmere", "Port Alden", "Vellin", "Greyford"],
}
# A sentence, the relations of its pairs (None where there is none) and what is in its picture.
_TEMPLATES = [
    (
        "PER of ORG lives in LOC",
        {("PER", "ORG"): "/per/org/member_of", ("PER", "LOC"): "/per/loc/place_of_residence"},
        "A man in a red jersey holding a football.",
    ),
    (
        "PER and her husband PER2 were married in LOC :)",
        {("PER", "PER2"): "/per/per/couple"},
        "A man and a woman in a white dress posing for a photo.",
    ),
    (
        "ORG opened a shop in LOC , part of LOC2",
        {("ORG", "LOC"): "/org/loc/locate_at", ("LOC", "LOC2"): "/loc/loc/contain"},
        'The image shows a building with a sign that reads "OPEN".',
    ),
    ("RT @ORG : no train to LOC today 🚆", {}, "A train at a platform, with a crowd of people."),
]
_BOXES = [[0.3, 0.6, 0.4, 0.6], [0.7, 0.5, 0.35, 0.8], [0.5, 0.2, 0.9, 0.25]]


def write_mnre(folder: str | Path, sentences: int = 24, seed: int = 0, images: bool = False) -> Path:
    """Writes the text, description and box files, and pictures if asked for.

    Four sentences hold ten pairs: three, three, three and one. There are six relations with "None", and the words of a
    sentence give them away, so that a small model learns them. The last picture of each split has no boxes.

    Args:
        folder (`str` or `Path`): Gets `mnre_*.txt`, `llavanext_*.json`, `detect_*.json` and `images/*.jpg`.
        sentences (`int`): Sentences of the training split, 4 or more; validation and test have a third, at least 4.
        seed (`int`): Of the choice of names.
        images (`bool`): Whether to draw a 64 x 48 JPEG for each sentence.

    Returns:
        `Path`: `folder`.
    """
    folder, rng = Path(folder), random.Random(seed)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for split in ("train", "val", "test"):
        count = sentences if split == "train" else max(4, sentences // 3)
        rows, descriptions, boxes = [], {}, {}
        for number in range(count):
            template, relations, description = _TEMPLATES[number % len(_TEMPLATES)]
            image_id = f"twitter_invented_{split}_{number}"
            rows += _pairs(template, relations, f"{image_id}.jpg", rng)
            descriptions[image_id] = f"\n{description}"
            boxes[f"{image_id}.jpg"] = _BOXES[: 1 + number % 3]
            if images:
                _draw(folder / "images" / f"{image_id}.jpg", boxes[f"{image_id}.jpg"], number)
        boxes.popitem()
        (folder / f"mnre_{split}.txt").write_text("".join(f"{row!r}\n" for row in rows), encoding="utf-8")
        (folder / f"llavanext_{split}.json").write_text(json.dumps(descriptions), encoding="utf-8")
        (folder / f"detect_{split}.json").write_text(json.dumps(boxes), encoding="utf-8")
    return folder


def _pairs(template: str, relations: dict[tuple[str, str], str], image: str, rng: random.Random) -> list[dict]:
    """The lines of one sentence, one for each pair of its entities."""
    pools = {kind: rng.sample(names, len(names)) for kind, names in _NAMES.items()}
    words, entities = [], {}
    for slot in template.split():
        kind = slot.removeprefix("@")
        if kind.rstrip("2") not in pools:
            words.append(slot)
            continue
        name = pools[kind.rstrip("2")].pop()
        name = name if slot == kind else "@" + name.replace(" ", "")
        entities[kind] = {"name": name, "pos": [len(words), len(words) + len(name.split())]}
        words += name.split()
    rows = []
    for h, t in combinations(entities, 2):
        relation = relations.get((h, t), "None")
        rows.append({"token": words, "h": entities[h], "t": entities[t], "img_id": image, "relation": relation})
    return rows


def _draw(path: Path, boxes: list[list[float]], number: int) -> None:
    image = Image.new("RGB", (64, 48), (40, 60 * (number % 4), 120))
    for red, (cx, cy, w, h) in zip((255, 170, 85), boxes, strict=False):
        corners = (64 * (cx - w / 2), 48 * (cy - h / 2), 64 * (cx + w / 2) - 1, 48 * (cy + h / 2) - 1)
        ImageDraw.Draw(image).rectangle(corners, fill=(red, 200, 40))
    image.save(path, "JPEG")
