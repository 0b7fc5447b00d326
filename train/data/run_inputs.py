"""The inputs of a run, as its steps fill them in."""

from dataclasses import dataclass, field

from datasets import DatasetDict

from train.data.constant_objects import ConstantObjects
from train.data.corpora import Source
from vmhan.data.disk_cache import DiskCache
from vmhan.data.schema import no_relation_of


@dataclass
class RunInputs:
    """The rows of a run, and what its result file says of them.

    Args:
        splits: Each in the order it is read in.
        pair_order: As `count_by_order` of each split; empty where tails are objects.
        leaks: Of each side input that the model sees, the questions of the audit that it fails; empty where there is
            no side input.
        protocol: As `protocol_of`, once all inputs are there and audited.
        features: Features of the images by the rows' `image_key`, where the vision encoder is frozen.
        selection_counts: What became of the requests to LLMs.
        image_counts: As `count_images`.
        sources: The main corpus and the further ones; empty where there are none.
        further: The rows of the further corpora, by split.
        mention_rows: Those of the corpora of named entities, by name and split.
    """

    splits: DatasetDict
    pair_order: dict[str, dict]
    leaks: dict[str, list[str]]
    protocol: str | None = None
    features: DiskCache | ConstantObjects | None = None
    selection_counts: dict[str, int] | None = None
    image_counts: dict[str, dict[str, int]] | None = None
    sources: list[Source] = field(default_factory=list)
    further: DatasetDict = field(default_factory=DatasetDict)
    mention_rows: dict[str, dict[str, list[dict]]] = field(default_factory=dict)

    @property
    def label_names(self) -> list[str]:
        """The relations, by id."""
        return self.splits["train"].features["relation"].names

    @property
    def no_relation(self) -> str:
        """The negative one."""
        return no_relation_of(self.splits["train"].features["relation"])
