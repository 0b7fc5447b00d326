"""Settings of a detector's training: the sections `data`, `model` and `training` of its YAML file."""

from collections.abc import Sequence
from dataclasses import Field, asdict, dataclass, field, fields, make_dataclass
from typing import Any

from train.settings_parser import SettingsParser, with_help
from vmhan.detector_network import DetectorSettings

_CHOSEN = ("classes", "score_threshold")  # from the data, not by hand
_NOT_DEFINING = {  # the weights do not depend on these, so a resumed run may change them
    *("data_dir", "output_dir", "workers", "checkpoint_minutes", "stop_after_minutes"),
    *("input_sizes", "looks", "max_milliseconds", "overlap_threshold", "max_detections"),
    *("detector_dir", "result_file", "read_test"),
}


@dataclass
class DetectionDataArguments:
    """Where the data lie and what of them is learned."""

    _argument_group_name = "data"

    data_dir: str = field(metadata={"help": "Folder of the parquet files."})
    least_boxes: int = field(default=250, metadata={"help": "A class with fewer boxes to train on is not learned."})
    least_teacher_score: float = field(
        default=0.45,
        metadata={"help": "A teacher's box with a lower score is neither learned nor punished."},
    )
    limit: int | None = field(default=None, metadata={"help": "Keep the first rows of each split, for a trial."})


@dataclass
class DetectionTrainingArguments:
    """How a detector is trained, chosen and exported."""

    _argument_group_name = "training"

    output_dir: str = field(metadata={"help": "Folder of the checkpoint; the same command goes on from it."})
    start_from: str | None = field(
        default=None, metadata={"help": "Output folder of a finished training, whose weights this one goes on from."}
    )
    epochs: int = field(default=30, metadata={"help": "Times that every image is seen."})
    batch_size: int = field(default=32, metadata={"help": "Views in a batch of each process."})
    learning_rate: float = field(default=1e-3, metadata={"help": "Of AdamW, at its highest."})
    weight_decay: float = field(default=0.05, metadata={"help": "Of weights, not of biases and norms."})
    warmup_steps: int = field(default=500, metadata={"help": "Steps in which the learning rate rises."})
    max_grad_norm: float = field(default=10.0, metadata={"help": "Longer gradients are shortened to it."})
    weight_average: float = field(default=0.999, metadata={"help": "Decay of the running average of the weights."})
    sizes: list[int] = field(
        default_factory=lambda: [192, 224, 256, 288, 320], metadata={"help": "Sides of the views, multiples of 32."}
    )
    mosaic: float = field(default=0.5, metadata={"help": "Share of views that join four images."})
    plain_epochs: int = field(default=4, metadata={"help": "The last epochs, which join none."})
    plain_sizes: list[int] = field(
        default_factory=lambda: [256, 288, 320], metadata={"help": "Sides of the views in these last epochs."}
    )
    workers: int = field(default=2, metadata={"help": "Processes that prepare views."})
    seed: int = field(default=1, metadata={"help": "Of weights and views."})
    evaluate_every: int = field(default=3, metadata={"help": "Epochs between two readings of validation."})
    checkpoint_minutes: float = field(default=10.0, metadata={"help": "A checkpoint is this old at most."})
    stop_after_minutes: float | None = field(
        default=None, metadata={"help": "Save a checkpoint and stop, to go on with the same command later."}
    )
    looks: list[str] = field(
        default_factory=lambda: ["320", "384", "256+384"],
        metadata={
            "help": "Input sizes, joined by + where an image is detected in at several; the best of these on "
            "validation is taken, of those that are fast enough."
        },
    )
    max_milliseconds: float = field(
        default=100.0, metadata={"help": "Most time that an image of 640x480 may take on one CPU core."}
    )
    detector_dir: str = field(default="vmhan/weights/detector", metadata={"help": "Where the finished detector goes."})
    result_file: str = field(default="assets/results/detector.json", metadata={"help": "Where its numbers go."})
    read_test: bool = field(default=True, metadata={"help": "Read test and held-out faces once, at the end."})

    def __post_init__(self):
        for name in ("sizes", "plain_sizes"):
            sizes = getattr(self, name)
            if not sizes or any(size < 32 or size % 32 for size in sizes):
                raise ValueError(f"{name} is {sizes}; give one size or more, all multiples of 32.")
        for look in self.looks:
            parse_look(look)
        for name in ("epochs", "batch_size", "evaluate_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be 1 or more.")


def _model_field(of_settings: Field) -> tuple[str, Any, Field]:
    return of_settings.name, of_settings.type, with_help(of_settings, DetectorSettings)


NetworkArguments = make_dataclass(
    "NetworkArguments",
    [_model_field(f) for f in fields(DetectorSettings) if f.name not in _CHOSEN],
    namespace={"_argument_group_name": "model"},
)


def parse_look(look: str) -> list[int]:
    """Parses `"256+384"` to `[256, 384]`, the input sizes of an image.

    Raises:
        ValueError: A size is no multiple of 32.
    """
    sizes = [int(size) if size.isdecimal() else 0 for size in look.split("+")]
    if any(size < 32 or size % 32 for size in sizes):
        raise ValueError(f"looks has {look!r}; give sizes that are multiples of 32, such as 320 or 256+384.")
    return sizes


@dataclass
class DetectorArguments:
    """All settings of a run."""

    data: DetectionDataArguments
    model: Any
    training: DetectionTrainingArguments

    def defining(self) -> dict[str, Any]:
        """Collects the settings that a resumed run must share with the one that it goes on from."""
        together = {**asdict(self.data), **asdict(self.model), **asdict(self.training)}
        return {name: value for name, value in together.items() if name not in _NOT_DEFINING}


def parse_detector_arguments(argv: Sequence[str]) -> DetectorArguments:
    """Reads `train/configs/detector.yaml [--name value ...]`."""
    sections = {"data": DetectionDataArguments, "model": NetworkArguments, "training": DetectionTrainingArguments}
    parser = SettingsParser(
        sections,
        prog="accelerate launch train/detector/run.py",
        description="Trains the bundled object detector, scores it, and writes it, its result file and its card.",
    )
    return DetectorArguments(*parser.read(argv))
