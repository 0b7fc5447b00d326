"""A tiny MORE in the published layout, about invented people and places, and short runs on it."""

import json
import random
from pathlib import Path

import torch
from PIL import Image, ImageDraw
from tiny import tiny_text_config, tiny_tokenizer
from transformers import BertModel, set_seed

PAPER, MINI = "train/configs/more/paper.yaml", "train/configs/more/mini.yaml"
RELATIONS = ["none", "/per/per/self", "/org/obj/logo_of", "/loc/obj/seen_in"]
_NAMES = {
    "PER": ["Mira Oland", "Tobin Vask", "Leda Quill", "Orso Penn"],
    "ORG": ["Blue Kettle", "Northwind United", "Ferro"],
    "LOC": ["Eastmere", "Port Alden", "Vellin"],
}
# A title, what is seen in its picture (caption, box, colour), and the relations of its pairs; all others are none.
_TEMPLATES = [
    (
        "PER of ORG arrives in LOC",
        [
            ("a woman in a red coat", (0.3, 0.6, 0.4, 0.6), (255, 0, 0)),
            ("a round blue sign", (0.75, 0.25, 0.3, 0.4), (0, 0, 255)),
            ("a street with trees", (0.5, 0.9, 1.0, 0.2), (0, 160, 0)),
            ("a parked car", (0.8, 0.7, 0.3, 0.2), (90, 90, 90)),
            ("a small dog", (0.6, 0.75, 0.1, 0.1), (120, 70, 20)),
        ],
        {("PER", 0): "/per/per/self", ("ORG", 1): "/org/obj/logo_of", ("LOC", 2): "/loc/obj/seen_in"},
    ),
    (
        "ORG closes its shop in LOC",
        [
            ("a closed shop", (0.5, 0.5, 0.8, 0.6), (0, 160, 0)),
            ("a blue sign above a door", (0.5, 0.1, 0.4, 0.2), (0, 0, 255)),
        ],
        {("ORG", 1): "/org/obj/logo_of", ("LOC", 0): "/loc/obj/seen_in"},
    ),
    ("PER was not there", [("an empty chair", (0.4, 0.5, 0.5, 0.5), (90, 90, 90))], {}),
]


def write_more(folder: str | Path, titles: int = 9, seed: int = 0, images: bool = True) -> Path:
    """Writes text, objects, captions, relations and pictures as they are published.

    Three titles hold twenty pairs: fifteen, four and one. A picture holds five, two and one objects, of which the last
    of the first kind has no caption.

    Args:
        folder (`str` or `Path`): Gets `txt/*.txt`, `ent_*_dict.pth`, `caption_dict.json`, `rel2id.json` and
            `img_org/*/*.jpg`.
        titles (`int`): Titles of the training split, 3 or more; validation and test have a third, at least 3.
        seed (`int`): Of the choice of names.
        images (`bool`): Whether to draw a 64 x 48 JPEG for each title.

    Returns:
        `Path`: `folder`.
    """
    folder, rng, captions = Path(folder), random.Random(seed), {}
    (folder / "txt").mkdir(parents=True, exist_ok=True)
    (folder / "rel2id.json").write_text(json.dumps({name: i for i, name in enumerate(RELATIONS)}), encoding="utf-8")
    for split in ("train", "valid", "test"):
        (folder / "img_org" / split).mkdir(parents=True, exist_ok=True)
        rows, objects = [], {}
        for number in range(titles if split == "train" else max(3, titles // 3)):
            title, seen, relations = _TEMPLATES[number % len(_TEMPLATES)]
            image = f"invented-{split}-{number}.jpg"
            rows += _pairs(title, seen, relations, image, rng)
            objects[image] = {f"[OBJ{i}]": box for i, (_, box, _) in enumerate(seen)}
            captions[image] = {f"[OBJ{i}]": caption for i, (caption, _, _) in enumerate(seen) if i < 4}
            if images:
                _draw(folder / "img_org" / split / image, seen, number)
        (folder / "txt" / f"{split}.txt").write_text("".join(f"{row!r}\n" for row in rows), encoding="utf-8")
        torch.save(objects, folder / f"ent_{split}_dict.pth")
    (folder / "caption_dict.json").write_text(json.dumps(captions), encoding="utf-8")
    return folder


def _pairs(title: str, seen: list, relations: dict, image: str, rng: random.Random) -> list[dict]:
    words, entities = [], {}
    for slot in title.split():
        if slot not in _NAMES:
            words.append(slot)
            continue
        name = rng.choice(_NAMES[slot])
        entities[slot] = {"name": name, "pos": [len(words), len(words) + len(name.split())]}
        words += name.split()
    return [
        {
            "token": words,
            "h": head,
            "t": {"name": f"[OBJ{i}]", "pos": list(box)},
            "img_id": image,
            "relation": relations.get((slot, i), "none"),
        }
        for slot, head in entities.items()
        for i, (_, box, _) in enumerate(seen)
    ]


def _draw(path: Path, seen: list, number: int) -> None:
    image = Image.new("RGB", (64, 48), (200, 200, 10 * (number % 20)))
    for _, (cx, cy, w, h), colour in seen:
        corners = (64 * (cx - w / 2), 48 * (cy - h / 2), 64 * (cx + w / 2) - 1, 48 * (cy + h / 2) - 1)
        ImageDraw.Draw(image).rectangle(corners, fill=colour)
    image.save(path, "JPEG")


def save_text_encoder(folder):
    """Writes a random BERT and its tokenizer to `folder/text`."""
    set_seed(0)
    tiny_tokenizer().save_pretrained(folder / "text")
    BertModel(tiny_text_config()).save_pretrained(folder / "text")


def words_of(folder, settings, **changes) -> list[str]:
    """Returns the command line of a short run with the encoders and data of `folder`."""
    places = {"text_model": "text", "output_dir": "run", "results_dir": "results", "data_dir": "more"}
    if settings == PAPER:
        places |= {"vision_model": "vgg.pth", "image_dir": "more/img_org", "feature_cache": "cache"}
        places |= {"detector": "yolo.pt"}
    values = {name: folder / place for name, place in places.items()}
    values |= {"num_train_epochs": 1, "max_length": 512, "use_cpu": "true", "disable_tqdm": "true", **changes}
    return [settings, *(word for name, value in values.items() for word in (f"--{name}", str(value)))]
