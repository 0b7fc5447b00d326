"""Settings of a run: a YAML file with the sections `data`, `model` and `training`, and overrides on the command line.

The fields of `model` are those of `VMHANConfig`; they are taken from there, with what its docstring says of them, so a
new one is known at once.
"""

from collections.abc import Sequence
from dataclasses import Field, dataclass, field, fields, make_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args, get_origin

import datasets
from transformers import TrainingArguments

from train.settings_parser import SettingsParser, with_help
from vmhan import VMHANConfig
from vmhan.evaluation.run_settings import NOT_CHOSEN
from vmhan.node_selection import NONE


@dataclass(frozen=True)
class DataArguments:
    """Where the data lie and what of them the model sees."""

    _argument_group_name = "data"

    data_dir: str | None = field(default=None, metadata={"help": "Folder of the files of MNRE or MORE."})
    corpus: Literal["mnre", "more"] = field(default="mnre", metadata={"help": "Which of them data_dir holds."})
    dataset: str | None = field(
        default=None, metadata={"help": "The data's repository on the Hub, as hub.dataset makes it, or data_dir."}
    )
    no_relation: str | None = field(
        default=None,
        metadata={
            "help": "The label of pairs without a relation, as the data spell it; by default the one that has one of "
            "the usual names."
        },
    )
    descriptions: str | None = field(
        default="llavanext",
        metadata={"help": "Stem of the description files; none: no descriptions, nor names of objects out of them."},
    )
    boxes: str | None = field(default=None, metadata={"help": "Stem of the box files; they join as unnamed objects."})
    detector: str | None = field(
        default=None, metadata={"help": "Object detector whose boxes are used in place of a file's, with pixels."}
    )
    captions: bool = field(default=True, metadata={"help": "MORE: read the captions of the objects."})
    max_objects: int = field(default=3, metadata={"help": "Objects of an image, the paper's k."})
    image_dir: str | None = field(default=None, metadata={"help": "Folder of the images, for pixels."})
    on_missing_image: Literal["raise", "none"] = field(
        default="raise", metadata={"help": "What a row without an image does: stop, or go on without one."}
    )
    feature_cache: str | None = field(
        default=None, metadata={"help": "Folder of image features; by default one in the cache of datasets."}
    )
    feature_batch_size: int = field(default=8, metadata={"help": "Images that the vision encoder takes at once."})
    visual_setting: Literal["pixels", "described", "composed", "object_names", "text_only"] = field(
        default="described", metadata={"help": "What the model sees of an image."}
    )
    control: Literal["none", "text_only", "shuffled_images", "blank_images", "constant_objects"] = field(
        default="none",
        metadata={
            "help": "Rows lose their images and all that belongs to these (text_only), or get those of another row "
            "(shuffled_images), one gray image (blank_images), or the objects of one image (constant_objects)."
        },
    )
    legacy_crops: str | None = field(
        default=None,
        metadata={
            "help": "Protocol legacy-crops: folder of the crop lists and phrases that the field shares for MNRE. They "
            "give the label away; for comparison with print only."
        },
    )
    selector: str = field(
        default="none",
        metadata={
            "help": "Who selects phrases and objects for each pair: none, words, Hub id or folder of a chat model, or "
            "the address of a server, http://host:port/v1#model."
        },
    )
    visual_selector: str | None = field(
        default=None, metadata={"help": "Another one for image phrases and objects, such as LLaVA."}
    )
    num_text_phrases: int = field(default=3, metadata={"help": "Phrases of the sentence, the paper's m."})
    num_visual_phrases: int = field(default=3, metadata={"help": "Phrases about the image, the paper's n."})
    candidate_objects: int = field(
        default=8,
        metadata={"help": "With a selector, names and boxes of an image that max_objects are selected from."},
    )
    selection_cache: str | None = field(
        default=None, metadata={"help": "Folder of the LLMs' answers; by default the Hub client's assets."}
    )
    selector_batch_size: int = field(default=8, metadata={"help": "Prompts that an LLM answers at a time."})
    selector_max_tokens: int = field(default=128, metadata={"help": "Longest answer of an LLM."})
    annotation_style: str | None = field(
        default=None, metadata={"help": "The model's annotation style that the main corpus is learned and scored in."}
    )
    corpora: list[dict] = field(
        default_factory=list,
        metadata={"help": "Further corpora of relations, '{path: FILE, weight: 0.5, licence: MIT}' each."},
    )
    mention_corpora: list[dict] = field(
        default_factory=list,
        metadata={"help": "Corpora of named entities, from which the model learns to find them; likewise."},
    )
    undirected_pairs: bool = field(
        default=False,
        metadata={
            "help": "Train on each pair both ways round too, its direction not given; then count three rows a pair."
        },
    )
    on_error: Literal["raise", "skip"] = field(
        default="raise", metadata={"help": "What a broken line or image does: stop, or be left out."}
    )
    limit: int | None = field(default=None, metadata={"help": "Keep the first rows of each split, for a trial."})

    @property
    def selects_nodes(self) -> bool:
        """True where nodes are selected for each pair."""
        return self.selector != NONE or self.visual_selector not in (None, NONE)

    @property
    def objects_per_image(self) -> int:
        """How many names, and how many boxes, of an image the rows hold: the paper's k, or those to select k from."""
        return max(self.candidate_objects, self.max_objects) if self.selects_nodes else self.max_objects

    @property
    def uses_boxes(self) -> bool:
        """True where boxes of a file join as objects without a name."""
        return self.boxes is not None

    @property
    def cache_folder(self) -> Path:
        """The folder of the arrays that are computed once: features, boxes and scores of teachers."""
        return Path(self.feature_cache or Path(datasets.config.HF_DATASETS_CACHE) / "vmhan-features")


@dataclass
class RunArguments(TrainingArguments):
    """`transformers.TrainingArguments` with what this project adds."""

    _argument_group_name = "training"

    text_model: str | None = field(default=None, metadata={"help": "Hub id or folder of the text encoder to train."})
    vision_model: str | None = field(
        default=None, metadata={"help": "vgg16, a file of its weights, or another vision encoder's Hub id or folder."}
    )
    checkpoint: str | None = field(
        default=None, metadata={"help": "A finished VM-HAN to evaluate instead; nothing is trained or saved."}
    )
    complete_result: str | None = field(
        default=None,
        metadata={"help": "With checkpoint, the result file of its run: gets what it lacks, predictions or a split."},
    )
    max_length: int = field(default=128, metadata={"help": "Most wordpieces of a sentence, the paper's 128."})
    overwrite_output_dir: bool = field(
        default=False,
        metadata={"help": "Write over what an earlier run has left: its checkpoints, its model and its result file."},
    )
    head_learning_rate: float | None = field(
        default=None, metadata={"help": "Learning rate of all but the pretrained encoders; by default learning_rate."}
    )
    weight_average: float = field(
        default=0.0, metadata={"help": "Decay of the running average that is evaluated and saved, such as 0.998."}
    )
    teachers: list[str] = field(
        default_factory=list, metadata={"help": "Folders of finished VM-HANs whose mean scores are learned too."}
    )
    teacher_weight: float = field(
        default=0.7, metadata={"help": "Share of the teachers in the training targets; the rest is the gold label's."}
    )
    freeze: list[str] = field(
        default_factory=list, metadata={"help": "Parameters whose names start so stay as they are."}
    )
    early_stopping_patience: int | None = field(
        default=None, metadata={"help": "Stop after so many evaluations without a better one."}
    )
    half_precision_weights: bool = field(
        default=False, metadata={"help": "Round the final weights to 16 bits, evaluate them so and save them so."}
    )
    run_name: str | None = field(
        default=None, metadata={"help": "Name of the result file; by default the output folder's."}
    )
    results_dir: str = field(default="assets/results", metadata={"help": "Where the result file goes."})
    read_test: bool = field(default=True, metadata={"help": "Read the test split once, after training."})


def _argument_type(annotation: Any) -> Any:
    """Finds a type that argparse can read: the first of a union, except for `X | None`."""
    options = get_args(annotation)
    if get_origin(annotation) is UnionType and type(None) not in options:
        return options[0]
    return annotation


def _model_fields() -> list[tuple[str, Any, Field]]:
    own = VMHANConfig.__annotations__
    return [
        (f.name, _argument_type(own[f.name]), with_help(f, VMHANConfig))
        for f in fields(VMHANConfig)
        if f.name in own and f.name not in NOT_CHOSEN
    ]


ModelArguments = make_dataclass("ModelArguments", _model_fields(), namespace={"_argument_group_name": "model"})


def settings_parser() -> SettingsParser:
    """Builds the parser of the settings of `train/run.py`."""
    return SettingsParser(
        {"data": DataArguments, "model": ModelArguments, "training": RunArguments},
        names_none=("no_relation",),
        prog="accelerate launch train/run.py",
        description="Trains VM-HAN, evaluates it and writes a result file.",
    )


@dataclass(frozen=True)
class RunConfig:
    """The settings of a run.

    Args:
        data: Where the data lie and what of them the model sees.
        model: Fields of `VMHANConfig`.
        training: How it is trained, and where it goes.
        argv: The words that the settings were read from, for the result file.
    """

    data: DataArguments
    model: Any  # a ModelArguments, which no type checker can see into
    training: RunArguments
    argv: tuple[str, ...] = ()

    @property
    def of_model(self) -> Any:
        """The fields of the model's config: as they are set, or those of the checkpoint that is evaluated."""
        checkpoint = self.training.checkpoint
        return VMHANConfig.from_pretrained(checkpoint) if checkpoint else self.model


def read_config(argv: Sequence[str]) -> RunConfig:
    """Reads `config.yaml [--name value ...]`; see `SettingsParser.read`."""
    return RunConfig(*settings_parser().read(argv), argv=tuple(argv))
