"""Checks of a text against a model: the Unicode scripts it was trained on, and the words its tokenizer knows.

Example:
    >>> script_shares("Ada и Боб")
    {'CYRILLIC': 0.5714285714285714, 'LATIN': 0.42857142857142855}
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from transformers import PreTrainedTokenizerBase

#: Least share of the letters of a training text in a script that a model counts as trained on.
LEAST_TRAINING_SHARE = 0.02
#: Least share of the letters of a text in a script that a warning names.
LEAST_NAMED_SHARE = 0.2

# Addresses and handles are in Latin letters whatever the language around them.
_ADDRESSES = re.compile(r"https?://\S+|www\.\S+|@\w+")


def script_shares(text: str) -> dict[str, float]:
    """Computes the share of each script in the letters of `text`, the largest first; addresses do not count."""
    counts: Counter[str] = Counter()
    for char, count in Counter(_ADDRESSES.sub(" ", text)).items():
        if script := _script(char):
            counts[script] += count
    return {script: count / counts.total() for script, count in counts.most_common()}


def find_training_scripts(sentences: Iterable[Iterable[str]]) -> list[str] | None:
    """Finds the scripts of a training text, sorted, or None if it has no letters.

    Args:
        sentences: The words of each sentence.
    """
    shares = script_shares(" ".join(word for sentence in sentences for word in sentence))
    return sorted(script for script, share in shares.items() if share >= LEAST_TRAINING_SHARE) or None


def script_warning(text: str, training_scripts: Iterable[str] | None) -> str | None:
    """Builds a warning if most letters of `text` are in scripts that the model was not trained on.

    Args:
        training_scripts: `VMHANConfig.training_scripts`; without them there is no warning.
    """
    if not training_scripts:
        return None
    known = set(training_scripts)
    unknown = {script: share for script, share in script_shares(text).items() if script not in known}
    if sum(unknown.values()) <= 0.5:
        return None
    largest = next(iter(unknown))
    named = [script for script, share in unknown.items() if share >= LEAST_NAMED_SHARE] or [largest]
    return (
        f"The text is mostly {', '.join(named)}; this model was trained on {', '.join(sorted(known))} text, and "
        'its answers mean little here, "no relation" too.'
    )


@lru_cache(maxsize=8192)
def _script(char: str) -> str | None:
    """Reads the script of a letter, the first word of its Unicode name; one of another width or style counts as plain.

    None for any other character.
    """
    if not char.isalpha():
        return None
    return unicodedata.name(unicodedata.normalize("NFKC", char)[0], "").partition(" ")[0] or None


def unknown_words_warning(text: str, tokenizer: PreTrainedTokenizerBase) -> str | None:
    """Builds a warning if most words of `text` are unknown tokens to `tokenizer`, a fast one.

    Signs and emoji do not count: they are no entities.
    """
    encoded = tokenizer(
        text, add_special_tokens=False, split_special_tokens=True, return_offsets_mapping=True, verbose=False
    )
    pieces = zip(encoded.word_ids(), encoded["input_ids"], encoded["offset_mapping"], strict=True)
    tokens = [(word, token) for word, token, span in pieces if any(map(str.isalpha, text[slice(*span)]))]
    words = {word for word, _ in tokens}
    unknown = {word for word, token in tokens if token == tokenizer.unk_token_id}
    if 2 * len(unknown) <= len(words):
        return None
    return (
        f"The encoder knows {len(words) - len(unknown)} of the {len(words)} words of the text; the others are all the "
        "same to it, and its answers mean little here."
    )


__all__ = ["find_training_scripts", "script_shares", "script_warning", "unknown_words_warning"]
