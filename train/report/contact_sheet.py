"""Draws contact sheets: what a detector finds in images, and the attention of a pair on each.

    python -m train.report.contact_sheet bus.jpg zidane.jpg --output sheet.jpg            # the detector's boxes
    python -m train.report.contact_sheet path/to/images --data_dir path/to/mnre           # and a pair of each

With a data set each image has two tiles: one with all detected objects and their scores, one with the objects of its
first pair with the attention on each, under the predicted relation. An image without a row in the data set has one.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from tqdm.auto import tqdm
from transformers import pipeline

from train.data.collator import character_spans
from vmhan.bundled_weights import BUNDLED, BUNDLED_MODEL
from vmhan.data.mnre import load_mnre
from vmhan.detectors.loading import load_detector
from vmhan.image_inputs import load_image_input
from vmhan.object_detection import ObjectDetector
from vmhan.pipeline_vmhan import MultimodalRelationExtractionPipeline
from vmhan.registrations import TASK
from vmhan.visualization.boxes import contact_sheet, draw_objects

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


def image_files(paths: Sequence[Path]) -> list[Path]:
    """Lists the files, and the images in the folders.

    Raises:
        ValueError: There is none.
    """
    found = [file for path in paths for file in (sorted(path.iterdir()) if path.is_dir() else [path])]
    files = [file for file in found if file.suffix.lower() in SUFFIXES]
    if not files:
        raise ValueError(f"There is no image ({', '.join(SUFFIXES)}) in {', '.join(map(str, paths))}.")
    return files


def first_requests(data_dir: Path, files: Sequence[Path], no_relation: str | None = None) -> dict[Path, dict]:
    """Builds the request of the first pair of each image in the data set, without its description.

    Args:
        data_dir: Folder in MNRE's form.
        files: Images, named by their image id.
        no_relation: The negative label, as of `load_mnre`.
    """
    by_id = {file.stem: file for file in files}
    requests: dict[Path, dict] = {}
    for rows in load_mnre(data_dir, descriptions=None, boxes=None, no_relation=no_relation).values():
        for index, image_id in enumerate(rows["image_id"]):
            file = by_id.get(image_id)
            if file is not None and file not in requests:
                row = rows[index]
                entities = character_spans(row["words"], [row["head_span"], row["tail_span"]])
                requests[file] = {"text": " ".join(row["words"]), "entities": entities}
    return requests


def detected_tile(image: Image.Image, detector: ObjectDetector) -> Image.Image:
    """Draws an image with all detected objects."""
    (found,) = detector.detect([image])
    return draw_objects(image, [item._asdict() for item in found])


def pair_tile(
    image: Image.Image, request: dict, extract: MultimodalRelationExtractionPipeline, detector: ObjectDetector
) -> Image.Image:
    """Draws an image with the objects of a pair, under its predicted relation."""
    (pair,) = extract({**request, "image": image}, detector=detector)["pairs"]
    title = f"{pair['head']['text']} -> {pair['tail']['text']}: {pair['relation']} {pair['score']:.0%}"
    return draw_objects(image, pair["objects"], title)


def draw_sheet(
    files: Sequence[Path], detector: ObjectDetector, requests: dict[Path, dict], model: str, columns: int
) -> Image.Image:
    """Draws the tiles of all images on one sheet.

    Args:
        files: The images.
        detector: Finds their objects.
        requests: As of `first_requests`.
        model: Folder or Hub id of the model that answers them.
        columns: Tiles in a row.
    """
    extract = pipeline(TASK, model=model) if requests else None
    tiles = []
    for file in tqdm(files, desc="images"):
        image = load_image_input(file)
        tiles.append(detected_tile(image, detector))
        if file in requests:
            tiles.append(pair_tile(image, requests[file], extract, detector))
    return contact_sheet(tiles, columns)


def parse_arguments(argv: list[str]) -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(prog="python -m train.report.contact_sheet", description=__doc__.splitlines()[0])
    parser.add_argument("images", nargs="+", type=Path, help="image files, or folders of them")
    parser.add_argument("--detector", default=BUNDLED, help="name, as the pipeline takes it")
    parser.add_argument("--data_dir", type=Path, help="folder of MNRE, for a pair of each image")
    parser.add_argument("--no_relation", help="label of pairs without a relation, if it has none of the usual names")
    parser.add_argument("--model", default=str(BUNDLED_MODEL), help="folder or Hub id of the model that scores pairs")
    parser.add_argument("--columns", type=int, default=4, help="tiles in a row")
    parser.add_argument("--output", type=Path, default=Path("outputs/contact_sheet.jpg"), help="the file to write")
    return parser.parse_args(argv)


def main(argv: list[str]) -> None:
    """Runs the command line."""
    args = parse_arguments(argv)
    try:
        files, detector = image_files(args.images), load_detector(args.detector)
        requests = first_requests(args.data_dir, files, args.no_relation) if args.data_dir else {}
        sheet = draw_sheet(files, detector, requests, args.model, args.columns)
    except (OSError, ValueError) as error:
        sys.exit(f"train.report.contact_sheet: {error}")
    args.output.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(args.output, quality=88)
    print(args.output)


if __name__ == "__main__":
    main(sys.argv[1:])
