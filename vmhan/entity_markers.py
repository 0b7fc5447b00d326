"""The tokens that stand around the mentions of a sentence, and what their embeddings start from."""

#: Opening and closing tokens: of every mention, or of head and of tail.
MARKERS = {"none": (), "shared": ("[E]", "[/E]"), "pair": ("[H]", "[/H]", "[T]", "[/T]")}
#: Tokens whose embeddings the markers start from.
MARKERS_LIKE = {"[E]": "[", "[/E]": "]", "[H]": "[", "[/H]": "]", "[T]": "<", "[/T]": ">"}


def add_markers(tokenizer, entity_markers: str) -> dict[str, str]:
    """Adds the entity markers to a tokenizer; returns those that it lacked, each with the token it starts from."""
    known = tokenizer.get_vocab()
    tokenizer.add_tokens(list(MARKERS[entity_markers]), special_tokens=True)
    return {marker: MARKERS_LIKE[marker] for marker in MARKERS[entity_markers] if marker not in known}


__all__ = ["MARKERS", "MARKERS_LIKE", "add_markers"]
