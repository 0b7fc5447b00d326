"""Entities that a token-classification model finds in a sentence."""

from threading import Lock

from transformers import pipeline

from .words import Entities, entities_at


class Tagger:
    """A model that marks names, such as `dslim/bert-base-NER`.

    Args:
        name: Hub id or folder of a model for token classification.

    Raises:
        OSError: It is neither here nor to be fetched.
    """

    def __init__(self, name: str):
        self.find = pipeline("token-classification", model=name, aggregation_strategy="simple")
        self._lock = Lock()  # tokenizers are not safe to share between threads

    def suggest(self, sentence: str) -> Entities:
        """The spans it finds, widened to whole words."""
        with self._lock:
            found = self.find(sentence) if sentence.strip() else []
        return entities_at(sentence, [(span["start"], span["end"]) for span in found])
