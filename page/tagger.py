"""Entity suggestions of a token-classification model."""

from threading import Lock

from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline

from page.entity_spans import EntitySelection, select_found
from vmhan.network import hub_settings
from vmhan.recognized_entities import read_kind


class Tagger:
    """A named-entity recognizer, such as `dslim/bert-base-NER`.

    Args:
        name: Hub id or folder of a token-classification model.

    Raises:
        OSError: It is neither a folder nor available from the Hub.
    """

    def __init__(self, name: str):
        settings = hub_settings(name)
        try:
            model = AutoModelForTokenClassification.from_pretrained(name, **settings)
            tokenizer = AutoTokenizer.from_pretrained(name, **settings)
        except OSError as error:
            raise OSError(
                f"The tagger {name!r} is neither a folder here nor available from the Hub ({error}). "
                "Check the name and the network, or leave it out."
            ) from error
        self.find = pipeline("token-classification", model=model, tokenizer=tokenizer, aggregation_strategy="simple")
        self._lock = Lock()  # tokenizers are not safe to share between threads

    def suggest(self, sentence: str) -> EntitySelection:
        """Selects the mentions that the model finds, as whole words."""
        with self._lock:
            found = self.find(sentence) if sentence.strip() else []
        return select_found(
            sentence, [(item["start"], item["end"], read_kind(item), float(item["score"])) for item in found]
        )
