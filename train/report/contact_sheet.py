"""Pictures for the eye: what a detector finds in them, and what a pair looks at.

    python -m train.report.contact_sheet bus.jpg zidane.jpg --output sheet.jpg            # the detector's boxes
    python -m train.report.contact_sheet path/to/pictures --data_dir path/to/mnre      # and a pair in each

With a data set each picture comes twice: with all that was detected and its scores, and with what its first pair looks
at, lit by attention, under the model's answer. A picture of which the data set says nothing comes once.
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

ENDINGS = (".jpg", ".jpeg", ".png", ".webp")
MODEL = BUNDLED_MODEL


def picture_files(paths: Sequence[Path]) -> list[Path]:
    """The files, and the pictures in the folders.

    Raises:
        ValueError: There is none.
    """
    found = [file for path in paths for file in (sorted(path.iterdir()) if path.is_dir() else [path])]
    files = [file for file in found if file.suffix.lower() in ENDINGS]
    if not files:
        raise ValueError(f"There is no picture ({', '.join(ENDINGS)}) in {', '.join(map(str, paths))}.")
    return files


def first_questions(data_dir: Path, files: Sequence[Path]) -> dict[Path, dict]:
    """For each picture that MNRE knows the request of its first pair, without the words that MNRE has about it."""
    by_id = {file.stem: file for file in files}
    questions: dict[Path, dict] = {}
    for rows in load_mnre(data_dir, descriptions=None, boxes=None).values():
        for place, image_id in enumerate(rows["image_id"]):
            file = by_id.get(image_id)
            if file is not None and file not in questions:
                row = rows[place]
                entities = character_spans(row["words"], [row["head_span"], row["tail_span"]])
                questions[file] = {"text": " ".join(row["words"]), "entities": entities}
    return questions


def detected_tile(picture: Image.Image, detector: ObjectDetector) -> Image.Image:
    """The picture with all that was detected."""
    (found,) = detector.detect([picture])
    return draw_objects(picture, [item._asdict() for item in found])


def pair_tile(
    picture: Image.Image, question: dict, extract: MultimodalRelationExtractionPipeline, detector: ObjectDetector
) -> Image.Image:
    """The picture with the objects of a pair, under what the model says of it."""
    (pair,) = extract({**question, "image": picture}, detector=detector)["pairs"]
    title = f"{pair['head']['text']} -> {pair['tail']['text']}: {pair['relation']} {pair['score']:.0%}"
    return draw_objects(picture, pair["objects"], title)


def make_sheet(
    files: Sequence[Path], detector: ObjectDetector, data_dir: Path | None, model: str, columns: int
) -> Image.Image:
    """All tiles of the pictures."""
    questions = first_questions(data_dir, files) if data_dir else {}
    extract = pipeline(TASK, model=model) if questions else None
    tiles = []
    for file in tqdm(files, desc="pictures"):
        picture = load_image_input(file)
        tiles.append(detected_tile(picture, detector))
        if file in questions:
            tiles.append(pair_tile(picture, questions[file], extract, detector))
    return contact_sheet(tiles, columns)


def main(argv: list[str]) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m train.report.contact_sheet", description=__doc__.splitlines()[0])
    parser.add_argument("pictures", nargs="+", type=Path, help="files, or folders of them")
    parser.add_argument("--detector", default=BUNDLED, help="name, as the pipeline takes it")
    parser.add_argument("--data_dir", type=Path, help="folder of MNRE, whose pairs look at the pictures")
    parser.add_argument("--model", default=str(MODEL), help="folder or Hub id of the model that is asked")
    parser.add_argument("--columns", type=int, default=4, help="pictures in a row")
    parser.add_argument("--output", type=Path, default=Path("outputs/contact_sheet.jpg"), help="the file to write")
    arguments = parser.parse_args(argv)
    try:
        sheet = make_sheet(
            picture_files(arguments.pictures),
            load_detector(arguments.detector),
            arguments.data_dir,
            arguments.model,
            arguments.columns,
        )
    except (OSError, ValueError) as error:
        sys.exit(f"train.report.contact_sheet: {error}")
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(arguments.output, quality=88)
    print(arguments.output)


if __name__ == "__main__":
    main(sys.argv[1:])
