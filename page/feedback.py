"""What visitors say about answers, in a CSV file on this machine; only where whoever runs the page asked for it."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

COLUMNS = ("time", "model", "text", "head", "tail", "relation", "score", "verdict", "corrected")
RIGHT, WRONG = "right", "wrong"
_LONGEST = 2000  # characters of a cell


class FeedbackFile:
    """Rows of a CSV file, one for each verdict.

    Args:
        path: The file; it is made with its header by the first row.
    """

    def __init__(self, path: str | Path):
        self.path, self._lock = Path(path), Lock()

    def add(self, model: str, text: str, pair: dict, verdict: str, corrected: str | None = None) -> None:
        """Keeps a verdict on a pair.

        Raises:
            ValueError: The verdict is neither right nor wrong.
            OSError: The file cannot be written.
        """
        if verdict not in (RIGHT, WRONG):
            raise ValueError(f"The verdict is {verdict!r}; it is {RIGHT!r} or {WRONG!r}.")
        time = datetime.now(UTC).isoformat(timespec="seconds")
        ends = pair["head"]["text"], pair["tail"]["text"]
        score = f"{pair['score']:.4f}"
        row = (time, model, text, *ends, pair["relation"], score, verdict, corrected or "")
        with self._lock:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            is_new = not self.path.exists()
            with self.path.open("a", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                if is_new:
                    writer.writerow(COLUMNS)
                writer.writerow(map(_harmless, row))


def _harmless(cell: str) -> str:
    """A cell that a spreadsheet takes for text, whatever a visitor wrote."""
    cell = cell[:_LONGEST]
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
