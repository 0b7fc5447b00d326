"""Whether a tokenizer knows the words of a text."""

from transformers import PreTrainedTokenizerBase


def unknown_words_warning(text: str, tokenizer: PreTrainedTokenizerBase) -> str | None:
    """Returns a sentence for the user if most words of `text` are unknown tokens to `tokenizer`, a fast one.

    Signs and emoji do not count: nobody's entities hang on them.
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


__all__ = ["unknown_words_warning"]
