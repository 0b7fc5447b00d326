"""Visitors' feedback on answers, in a CSV file of this machine; off unless whoever runs the page names a file."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

#: The column of ratings is stored as "verdict", as in the files of earlier versions.
COLUMNS = ("time", "model", "text", "head", "tail", "relation", "score", "verdict", "corrected")
RIGHT, WRONG = "right", "wrong"
_LONGEST = 2000  # characters of a cell


class FeedbackFile:
    """A CSV file with one row for each rating.

    Args:
        path: The file; the first row creates it, with its header.
    """

    def __init__(self, path: str | Path):
        self.path, self._lock = Path(path), Lock()

    def add(self, model: str, text: str, pair: dict, rating: str, corrected: str | None = None) -> None:
        """Appends the rating of a pair.

        Args:
            model: Name of the model that answered.
            text: The sentence.
            pair: As the pipeline returns it.
            rating: `RIGHT` or `WRONG`.
            corrected: The label that the visitor proposes.

        Raises:
            ValueError: The rating is another one.
            OSError: The file cannot be written.
        """
        if rating not in (RIGHT, WRONG):
            raise ValueError(f"The rating is {rating!r}; it is {RIGHT!r} or {WRONG!r}.")
        time = datetime.now(UTC).isoformat(timespec="seconds")
        ends = pair["head"]["text"], pair["tail"]["text"]
        score = f"{pair['score']:.4f}"
        self._append((time, model, text, *ends, pair["relation"], score, rating, corrected or ""))

    def _append(self, row: tuple[str, ...]) -> None:
        with self._lock:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            is_new = not self.path.exists()
            with self.path.open("a", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                if is_new:
                    writer.writerow(COLUMNS)
                writer.writerow(map(_harmless, row))


def _harmless(cell: str) -> str:
    """Quotes a cell that a spreadsheet would take for a formula, and cuts it to `_LONGEST`."""
    cell = cell[:_LONGEST]
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
