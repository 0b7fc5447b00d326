"""What is text in a request, checked, and how messages quote it."""


def read_words(name: str, words: str | None) -> str:
    """`words`, empty for None; refuses what is no string, and the half characters that JSON can smuggle in."""
    if words is not None and not isinstance(words, str):
        raise ValueError(f"{name} is {words!r}; give a string.")
    try:
        (words or "").encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{name} holds half a character at {error.start}: {words[error.start]!r}; drop it."
        ) from error
    return words or ""


def short_text(text: str) -> str:
    """A text as a message quotes it, cut where it is long."""
    return repr(text if len(text) <= 80 else text[:77] + "...")
