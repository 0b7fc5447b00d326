"""The table of all pairs: relation in words, confidence, uncertainty."""

from html import escape

from page.labels import is_related, relation_words, uncertainty


def bar(share: float, colour: str = "") -> str:
    """A horizontal bar, and its share in percent, as two cells."""
    width = min(max(share, 0), 1)
    paint = f"; background: {colour}" if colour else ""
    return f'<td class="bar"><i style="width: {width:.1%}{paint}"></i></td><td class="percent">{share:.1%}</td>'


def pairs_html(pairs: list[dict], chosen: int, other: int | None = None) -> str:
    """The table. A button in every row lets the keyboard choose a pair, another compares it with the chosen one."""
    rows = "".join(_row(number, pair, chosen, other) for number, pair in enumerate(pairs))
    compare = "<th><span class='sr'>Compare</span></th>" if len(pairs) > 1 else ""
    return (
        '<table class="pairs"><thead><tr><th>First entity</th><th>Relation</th><th>Second entity</th>'
        f'<th colspan="2">Confidence</th><th title="Entropy of the scores, as a share of the most it could be">'
        f"Uncertainty</th>{compare}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _row(number: int, pair: dict, chosen: int, other: int | None) -> str:
    """One row; what a visitor wrote is escaped."""
    states = (
        ("quiet", not is_related(pair)),
        ("chosen", number == chosen),
        ("other", number == other),
    )
    kinds = " ".join(kind for kind, holds in states if holds)
    breakable = escape(pair["relation"]).replace("/", "/<wbr>").replace("_", "_<wbr>")
    label = f"<code>{breakable}</code>" if is_related(pair) else ""
    return (
        f'<tr data-pair="{number}" class="{kinds}"><td class="from" dir="auto">{escape(pair["head"]["text"])}</td>'
        f'<td class="what"><button type="button" class="name" data-key="pair-{number}" '
        f'aria-pressed="{str(number == chosen).lower()}">{escape(relation_words(pair))}</button>{label}</td>'
        f'<td class="to" dir="auto">{escape(pair["tail"]["text"])}</td>{bar(pair["score"])}'
        f'<td class="unsure">{uncertainty(pair):.0%}</td>{_compare(number, pair, chosen, other)}</tr>'
    )


def _compare(number: int, pair: dict, chosen: int, other: int | None) -> str:
    if number == chosen:
        return '<td class="compare"><span class="badge a">shown</span></td>' if other is None else (
            '<td class="compare"><span class="badge a">A</span></td>'
        )  # fmt: skip
    text = "B ✕" if number == other else "compare"
    told = (
        f"{'Stop comparing' if number == other else 'Compare'} with {pair['head']['text']} and {pair['tail']['text']}"
    )
    return (
        f'<td class="compare"><button type="button" class="badge b" data-compare="{number}" '
        f'data-key="compare-{number}" aria-pressed="{str(number == other).lower()}" aria-label="{escape(told)}">'
        f"{text}</button></td>"
    )


def bars_html(rows: list[tuple[str, float, str]]) -> str:
    """A table of names, bars and their colours; an empty colour is the accent."""
    cells = "".join(
        f"<tr><td>{_dot(colour)}{escape(name)}</td>{bar(share, colour)}</tr>" for name, share, colour in rows
    )
    return f'<table class="bars"><tbody>{cells}</tbody></table>'


def _dot(colour: str) -> str:
    return f'<i class="dot" style="background: {colour}"></i>' if colour else ""
