"""The page of VM-HAN: a sentence, a picture and its entities in; the relation of every entity pair out.

    python app.py                                   # the bundled model, on http://127.0.0.1:7860
    python app.py --model runs/mnre --port 8000     # another folder, or a repository on the Hub
    VMHAN_MODEL=user/name python app.py             # the same, for where nobody writes a command line, as in a Space

First come plain functions: the entities of a sentence, the HTML of an answer, the examples and the model. Then what
happens on the page, and `build_page`, which joins it up. Entities are ranges of words here, for words are what is
clicked; the model gets them as ranges of characters.
"""

import argparse
import html
import math
import os
import re
from collections.abc import Callable
from difflib import SequenceMatcher
from functools import cached_property, partial
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

try:
    import spaces  # where Hugging Face lends a GPU for each question; it has to come before torch
except ImportError:
    spaces = None
import gradio as gr
from PIL import Image

on_gpu = spaces.GPU if spaces else lambda function: function
BUNDLED_MODEL = Path(__file__).parent / "assets" / "vmhan-mini-mnre"
NO_RELATION = "None"
WHOLE_PICTURE = "image"  # what the pipeline calls it among the visual nodes
SHOWN_SCORES = 5
LONGEST_SENTENCE = 1000  # characters; all pairs of a page full of names would keep every other visitor waiting

_WORDS = re.compile(r"https?://\S+|['’]s\b|[@#]?\w+(?:[-.&'’](?!s\b)\w+)*|[^\w\s]")
_NAME_LINKS = {"of", "de", "da", "del", "di", "la", "van", "von", "al", "bin"}  # inside a name: "Bank of America"
# Capitalised because a sentence starts with them, not because they are names.
_OPENERS = set(
    """a an the this that these those i i'm my me you your he his she her it its we our us they their who what when
    where why how which and or but so if as at by for from in into of on to up with after before about over under is
    are was were be been do does did has have had can could will would may must not no yes just now then there here
    today tonight tomorrow yesterday thanks rt via""".split()  # noqa: SIM905 - words read better than a list of them
)
# Label, sentence, picture of the `ultralytics` package, and what we see in it.
EXAMPLES = [
    (
        "Two coaches",
        "Zinedine Zidane and Carlo Ancelotti watch Real Madrid from the bench",
        "zidane.jpg",
        "Two men in dark suits in front of a blurred crowd. One man shouts and points with his finger. "
        "The other man wears a badge around his neck.",
    ),
    (
        "A bus in the old town",
        "EMT Madrid runs electric buses through the old town of Madrid, Spain",
        "bus.jpg",
        "A blue electric bus on a street in front of a yellow building with balconies. "
        "Two men with sunglasses walk past the bus.",
    ),
    (
        "A concert, no picture",
        "Taylor Swift and Ed Sheeran sing at Wembley Stadium in London #ErasTour",
        None,
        "",
    ),
]

INTRODUCTION = """# VM-HAN: who is what to whom?
Give it a sentence and the entities in it, and a picture if there is one. It names the relation of every pair of
entities, says how sure it is, and shows which things in the picture it looked at."""
PICTURE_NOTE = (
    "**Please describe the picture.** This model knows a picture only by its description and the objects named there. "
    "It cannot see the picture itself yet: without a description, the picture changes nothing."
)
_HINT = "The words of your sentence appear here. Click a word to pick it, and again to drop it."
NO_WORDS = [
    (f"{word} ", None) for word in _HINT.split()
]  # word by word, so that a narrow page breaks it at the blanks
# Gradio scopes these rules to the component they are given to.
TABLE_CSS = """
h3 { margin: 0 0 12px; font-size: var(--text-xl); font-weight: 600; }
h3 span { font-weight: 400; }
h4 { margin: 0 0 4px; font-weight: 600; }
p { margin: 8px; font-size: var(--text-sm); }
table { width: 100%; border-collapse: collapse; }
th { text-align: left; font-weight: 600; font-size: var(--text-sm); }
th, td { padding: 6px 8px; }
td { overflow-wrap: break-word; }
th, code, p, .quiet { color: color-mix(in srgb, var(--body-text-color) 70%, transparent); }
tr { border-bottom: 1px solid var(--border-color-primary); }
code { display: block; font-size: var(--text-xs); }
[data-pair] { cursor: pointer; }
[data-pair]:hover, .chosen { background: var(--background-fill-secondary); }
.chosen { box-shadow: inset 3px 0 var(--color-accent); }
button { font-weight: 600; text-align: left; cursor: pointer; }
button:focus-visible { outline: 2px solid var(--color-accent); outline-offset: 2px; }
.quiet button { font-weight: 400; }
.bar { width: 25%; }
.bar i { display: block; height: 8px; min-width: 2px; border-radius: 4px; background: var(--color-accent); }
.quiet .bar i { background: var(--border-color-primary); }
.percent { width: 1%; text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(240px, 1fr)); gap: 24px; }
@media (max-width: 640px) { .pairs .bar { display: none; } }
"""
# Words of one entity touch.
WORDS_CSS = "#words .token.highlighted { margin: 0; padding: 2px 1px; }"
# Gradio's own font, but with the bold weight: the half-bold file it ships lacks the Latin letters.
THEME = gr.themes.Default(font=gr.themes.LocalFont("Source Sans Pro", weights=(400, 700)))
CHOOSE_ROW = """
element.addEventListener("click", event => {
    const row = event.target.closest("tr[data-pair]");
    if (row) trigger("select", {pair: Number(row.dataset.pair)});
});
"""


class Entities(NamedTuple):
    """What is picked in a sentence: ranges of words, and whether a visitor had a hand in them."""

    sentence: str = ""
    ranges: tuple[tuple[int, int], ...] = ()
    by_hand: bool = False


# The sentence and its entities


def split_words(sentence: str) -> list[tuple[int, int]]:
    """Character ranges of the words and punctuation marks of a sentence."""
    return [match.span() for match in _WORDS.finditer(sentence)]


def word_texts(sentence: str) -> list[str]:
    """The words and punctuation marks of a sentence."""
    return [sentence[start:end] for start, end in split_words(sentence)]


def suggest_entities(sentence: str) -> Entities:
    """Runs of capitalised words, @mentions and #hashtags: a start for the visitor, with no model behind it.

    Example:
        >>> suggest_entities("The Bank of America in New York thanks @cher").ranges
        ((1, 4), (5, 7), (8, 9))
    """
    words = word_texts(sentence)
    ranges, start = [], None
    for place, word in enumerate([*words, ""]):
        if start is not None and not _continues_name(words, place):
            ranges.append((start, place))
            start = None
        if word[:1] in ("@", "#") and len(word) > 1:
            ranges.append((place, place + 1))
        elif start is None and _is_name(word):
            start = place
    return Entities(sentence, tuple(sorted(ranges)))


def _is_name(word: str) -> bool:
    return word[:1].isupper() and word.lower() not in _OPENERS


def _continues_name(words: list[str], place: int) -> bool:
    inside = place + 1 < len(words) and words[place] in _NAME_LINKS
    return place < len(words) and (_is_name(words[place]) or (inside and _is_name(words[place + 1])))


def click_word(entities: Entities, word: int, join: bool = True) -> Entities:
    """What a click makes of the entities: a picked word is dropped, another is picked and may join its neighbours."""
    if word >= len(split_words(entities.sentence)):  # the hint of an empty page, or a word deleted meanwhile
        return entities
    apart = [part for part in entities.ranges if word < part[0] or part[1] <= word]
    holding = [part for part in entities.ranges if part not in apart]
    if holding:
        (first, end) = holding[0]
        changed = [part for part in ((first, word), (word + 1, end)) if part[0] < part[1]]
    else:
        joined = [part for part in apart if join and (part[1] == word or part[0] == word + 1)]
        apart = [part for part in apart if part not in joined]
        changed = [(min([word, *(first for first, _ in joined)]), max([word + 1, *(end for _, end in joined)]))]
    return Entities(entities.sentence, tuple(sorted(apart + changed)), by_hand=True)


def follow_sentence(entities: Entities, sentence: str) -> Entities:
    """The entities after an edit: those picked by hand stay while their words do; otherwise suggestions."""
    if sentence == entities.sentence:
        return entities
    kept = carry_ranges(entities, sentence) if entities.by_hand else ()
    return Entities(sentence, kept, by_hand=True) if kept else suggest_entities(sentence)


def carry_ranges(entities: Entities, sentence: str) -> tuple[tuple[int, int], ...]:
    """Where the picked ranges stand in `sentence`, those whose words an edit has left together."""
    blocks = SequenceMatcher(None, word_texts(entities.sentence), word_texts(sentence), autojunk=False)
    return tuple(
        (first - old + new, end - old + new)
        for old, new, size in blocks.get_matching_blocks()
        for first, end in entities.ranges
        if old <= first and end <= old + size
    )


def character_spans(entities: Entities) -> list[tuple[int, int]]:
    """The entities as the pipeline takes them: end-exclusive character ranges."""
    words = split_words(entities.sentence)
    return [(words[first][0], words[end - 1][1]) for first, end in entities.ranges]


def highlighted(entities: Entities) -> list[tuple[str, str | None]]:
    """Every word with the blanks that follow it, and the number of its entity: what `gr.HighlightedText` shows."""
    starts = [start for start, _ in split_words(entities.sentence)] + [len(entities.sentence)]
    owners = {word: str(n) for n, part in enumerate(entities.ranges, start=1) for word in range(*part)}
    return [(entities.sentence[starts[n] : starts[n + 1]], owners.get(n)) for n in range(len(starts) - 1)]


# What the page shows of an answer


def readable(relation: str) -> str:
    """`/per/org/member_of` in words: "member of"."""
    return "no relation" if relation == NO_RELATION else relation.rsplit("/", 1)[-1].replace("_", " ")


def sort_pairs(pairs: list[dict]) -> list[dict]:
    """Pairs with a relation first, the surest first."""
    return sorted(pairs, key=lambda pair: (pair["relation"] == NO_RELATION, -pair["score"]))


def bar(share: float) -> str:
    """A horizontal bar, and its share in percent."""
    width = min(max(share, 0), 1)
    return f'<td class="bar"><i style="width: {width:.1%}"></i></td><td class="percent">{share:.1%}</td>'


def pairs_html(pairs: list[dict], chosen: int) -> str:
    """The table of all pairs. A button in every row lets the keyboard choose one too."""
    rows = "".join(pair_row_html(number, pair, number == chosen) for number, pair in enumerate(pairs))
    return (
        '<table class="pairs"><thead><tr><th>First entity</th><th>Relation</th><th>Second entity</th>'
        f'<th colspan="2">Confidence</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def pair_row_html(number: int, pair: dict, chosen: bool) -> str:
    """One row of the table of pairs; what a visitor wrote is escaped."""
    kinds = [kind for kind, holds in (("quiet", pair["relation"] == NO_RELATION), ("chosen", chosen)) if holds]
    breakable = html.escape(pair["relation"]).replace("/", "/<wbr>").replace("_", "_<wbr>")
    label = "" if pair["relation"] == NO_RELATION else f"<code>{breakable}</code>"
    relation = f'<button type="button" aria-pressed="{str(chosen).lower()}">{html.escape(readable(pair["relation"]))}'
    return (
        f'<tr data-pair="{number}" class="{" ".join(kinds)}"><td>{html.escape(pair["head"]["text"])}</td>'
        f"<td>{relation}</button>{label}</td><td>{html.escape(pair['tail']['text'])}</td>{bar(pair['score'])}</tr>"
    )


def bars_html(rows: list[tuple[str, float]]) -> str:
    """A table of names and bars."""
    cells = "".join(f"<tr><td>{html.escape(name)}</td>{bar(share)}</tr>" for name, share in rows)
    return f'<table class="bars"><tbody>{cells}</tbody></table>'


def pair_html(pair: dict, has_picture: bool, has_description: bool) -> str:
    """The chosen pair: its best labels, how sure the model is, and what its attention went to."""
    scores = sorted(pair["scores"].items(), key=lambda item: -item[1])[:SHOWN_SCORES]
    names = {WHOLE_PICTURE: "the whole picture"}
    objects = [(names.get(node["label"], node["label"]), node["attention"]) for node in pair["objects"]]
    nodes = bars_html(objects) if objects else f"<p>{why_no_nodes(has_picture, has_description)}</p>"
    return (
        f"<h3>{html.escape(pair['head']['text'])} <span>and</span> {html.escape(pair['tail']['text'])}</h3>"
        f'<div class="columns"><section><h4>Scores</h4>{bars_html(scores)}<p>{how_sure(pair)}</p></section>'
        f"<section><h4>Where it looked</h4>{nodes}</section></div>"
    )


def how_sure(pair: dict) -> str:
    """The uncertainty of a pair, with the scale that makes the numbers readable."""
    most = math.log(len(pair["scores"]))
    return (
        f"Entropy {pair['entropy']:.2f} nats (0: certain; {most:.2f}: no idea). "
        f"Mean variance of its Gaussians {pair['variance']:.2f}."
    )


def why_no_nodes(has_picture: bool, has_description: bool) -> str:
    """Why the picture had no say in a pair."""
    if has_description:
        return "The model found nothing in the description to look at, so it went by the sentence alone."
    if has_picture:
        return (
            "The picture came without a description, so the model went by the sentence alone. "
            "Say above what the picture shows, and ask again."
        )
    return "No picture and no description were given, so the model went by the sentence alone."


def boxes(pair: dict) -> list[tuple[tuple[int, int, int, int], str]]:
    """The objects of a pair that have a place in the picture; the box of the whole picture would only veil it."""
    objects = [node for node in pair["objects"] if node["box"] and node["label"] != WHOLE_PICTURE]
    return [(tuple(map(round, node["box"])), node["label"]) for node in objects]


# Examples and model


def usable_examples() -> tuple[list[str], list[list]]:
    """The labels of the examples whose picture is installed, and their inputs."""
    labels, rows = [], []
    for label, sentence, picture, description in EXAMPLES:
        path = sample_picture(picture) if picture else None
        if path or not picture:
            labels.append(label)
            rows.append([sentence, path, description])
    return labels, rows


def sample_picture(name: str) -> str | None:
    """A picture that ships with `ultralytics`; found without importing it, which takes seconds."""
    package = find_spec("ultralytics")
    folders = package.submodule_search_locations if package else []
    return next((str(path) for folder in folders if (path := Path(folder) / "assets" / name).is_file()), None)


class Extractor:
    """The pipeline of one model: loaded when first needed, shared by all visitors."""

    def __init__(self, model: str | Path):
        self.model = str(model)

    @cached_property
    def pipeline(self):
        """The `transformers` pipeline; importing `vmhan` is what makes the task known."""
        folder = Path(self.model)
        if (folder.is_dir() or folder == BUNDLED_MODEL) and not any(folder.glob("*.safetensors")):
            raise FileNotFoundError(
                f'No model weights (*.safetensors) in "{self.model}"; train a model first, '
                "or name another folder or a repository on the Hub with --model."
            )
        from transformers import pipeline

        import vmhan  # noqa: F401

        return pipeline("multimodal-relation-extraction", model=self.model)

    @on_gpu
    def __call__(self, question: dict) -> dict:
        """The answer of the pipeline."""
        return self.pipeline(question)


extractor = Extractor(os.environ.get("VMHAN_MODEL", BUNDLED_MODEL))


# What happens on the page


def refuse(title: str, message: str) -> gr.Error:
    """A friendly toast. Gradio renders the message of a toast as HTML, so what a visitor wrote is escaped."""
    return gr.Error(html.escape(message), title=title, print_exception=False)


def read_picture(read: Callable, payload) -> Image.Image | None:
    """What `read` makes of an uploaded file, or a toast that says kindly that it is no picture."""
    try:
        return read(payload)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise refuse("Picture", "This picture cannot be read. Try a JPEG, PNG or WebP file.") from error


def show_entities(entities: Entities) -> tuple:
    """The state and the words on show."""
    return entities, gr.HighlightedText(highlighted(entities) or NO_WORDS, label=count_pairs(len(entities.ranges)))


def count_pairs(entities: int) -> str:
    """The label of the words: what is picked, or what to do."""
    pairs = entities * (entities - 1) // 2
    if pairs == 0:
        return "Entities: click the words of at least two"
    return f"Entities: {entities} picked, so {pairs} pair{'s' if pairs > 1 else ''}"


def edit_sentence(sentence: str, entities: Entities) -> tuple:
    """Old results go: they would stand under a sentence they do not belong to."""
    if sentence == entities.sentence:
        return gr.skip(), gr.skip(), gr.skip()
    return *show_entities(follow_sentence(entities, sentence)), gr.Column(visible=False)


def start_sentence(sentence: str) -> tuple:
    """As `edit_sentence`, forgetting what was picked before."""
    return edit_sentence(sentence, Entities())


def pick_word(entities: Entities, join: bool, event: gr.SelectData) -> tuple:
    """A click on a word."""
    return show_entities(click_word(entities, event.index, join))


def suggest(sentence: str) -> tuple:
    """Suggestions in place of what is picked."""
    return show_entities(suggest_entities(sentence))


def clear(sentence: str) -> tuple:
    """Nothing picked."""
    return show_entities(Entities(sentence, by_hand=True))


def find_relations(sentence: str, entities: Entities, picture: Image.Image | None, description: str) -> tuple:
    """Ask the model about all pairs and show the surest."""
    sentence, description = sentence or "", (description or "").strip()
    entities = follow_sentence(entities, sentence)  # the last keystroke may still be on its way
    if not sentence.strip():
        raise refuse("No sentence", "Write a sentence first, or choose an example.")
    if len(entities.ranges) < 2:
        raise refuse("Too few entities", "A relation needs two entities: click their words in the sentence.")
    question = {
        "text": sentence,
        "image": picture,
        "entities": character_spans(entities),
        "description": description or None,
    }
    try:
        pairs = sort_pairs(extractor(question)["pairs"])
    except (ValueError, OSError) as error:
        raise refuse("The model cannot answer", str(error)) from error
    answer = {"pairs": pairs, "has_picture": picture is not None, "has_description": bool(description)}
    return answer, gr.Column(visible=True), *show_pair(answer, 0, picture)


def choose_pair(answer: dict, picture: tuple | None, event: gr.EventData) -> tuple:
    """Show the pair of the row that was clicked."""
    return show_pair(answer, event.pair, picture and picture[0])


def show_pair(answer: dict, chosen: int, picture: Image.Image | str | None) -> tuple:
    """The table with one row chosen, the details of that row, and the picture with its boxes."""
    pair = answer["pairs"][chosen]
    return (
        pairs_html(answer["pairs"], chosen),
        pair_html(pair, answer["has_picture"], answer["has_description"]),
        gr.AnnotatedImage((picture, boxes(pair)), visible=True) if picture else gr.AnnotatedImage(None, visible=False),
    )


def inputs() -> tuple[gr.Textbox, gr.Image, gr.Textbox]:
    """Sentence, picture and description; not on the page yet, for the examples that fill them stand above them."""
    sentence = gr.Textbox(
        label="Sentence",
        placeholder="Write or paste a sentence that names people, places, organisations, events …",
        max_lines=6,
        max_length=LONGEST_SENTENCE,
        render=False,
    )
    picture = gr.Image(
        label="Picture (optional)", type="pil", sources=["upload", "clipboard"], height=240, render=False
    )
    # On the instance: of a subclass, Gradio would write a type stub next to this file.
    picture.preprocess = partial(read_picture, picture.preprocess)
    description = gr.Textbox(
        label="What the picture shows (optional)",
        placeholder="Two men in suits, one points with his finger.",
        lines=3,
        max_length=LONGEST_SENTENCE,
        render=False,
    )
    return sentence, picture, description


def build_page() -> gr.Blocks:
    """The page: components first, then what joins them."""
    with gr.Blocks(title="VM-HAN", analytics_enabled=False, delete_cache=(3600, 86400)) as page:
        gr.Markdown(INTRODUCTION)
        sentence, picture, description = inputs()
        labels, rows = usable_examples()
        chosen_example = gr.Examples(
            rows, [sentence, picture, description], label="Examples", example_labels=labels, api_visibility="private"
        ).load_input_event
        with gr.Row():
            with gr.Column(scale=3):
                sentence.render()
                words = gr.HighlightedText(NO_WORDS, label=count_pairs(0), show_inline_category=False, elem_id="words")
                join = gr.Checkbox(True, label="Join words that stand side by side", container=False)
                with gr.Row():
                    suggest_button = gr.Button("Suggest entities", size="sm", min_width=120)
                    clear_button = gr.Button("Clear entities", size="sm", min_width=120)
            with gr.Column(scale=2):
                picture.render()
                gr.Markdown(PICTURE_NOTE)
                description.render()
        run_button = gr.Button("Find relations", variant="primary", size="lg")
        with gr.Column(visible=False) as results:
            pairs = gr.HTML(css_template=TABLE_CSS, js_on_load=CHOOSE_ROW, apply_default_css=False)
            with gr.Row():
                with gr.Column(scale=3):
                    details = gr.HTML(css_template=TABLE_CSS, apply_default_css=False)
                with gr.Column(scale=2):
                    shown_picture = gr.AnnotatedImage(label="Picture", height="min(320px, 60vw)")
        entities, answer = gr.State(Entities()), gr.State()

        shown_entities, shown_pair = [entities, words], [pairs, details, shown_picture]
        quick = {"show_progress": "hidden", "api_visibility": "private"}
        # Not `input`: Gradio 6.31 fires that for typed characters only, so a paste or a deletion would go unseen.
        sentence.change(
            edit_sentence, [sentence, entities], [*shown_entities, results], trigger_mode="always_last", **quick
        )
        chosen_example.then(start_sentence, sentence, [*shown_entities, results], **quick)
        words.select(pick_word, [entities, join], shown_entities, **quick)
        suggest_button.click(suggest, sentence, shown_entities, **quick)
        clear_button.click(clear, sentence, shown_entities, **quick)
        gr.on(
            [run_button.click, sentence.submit],
            find_relations,
            [sentence, entities, picture, description],
            [answer, results, *shown_pair],
            show_progress_on=run_button,
            api_visibility="private",
        )
        pairs.select(choose_pair, [answer, shown_picture], shown_pair, **quick)
    return page


demo = build_page()


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Serve the VM-HAN page.")
    parser.add_argument("--model", default=extractor.model, help="folder or Hub repository (default: %(default)s)")
    parser.add_argument("--host", help="0.0.0.0 lets other machines in (default: this machine only)")
    parser.add_argument("--port", type=int, help="default: the first free port from 7860")
    parser.add_argument("--share", action="store_true", help="make a public link through Gradio's servers")
    return parser.parse_args(arguments)


def main() -> None:
    """Load the model, so that a wrong folder is reported at once, and serve the page."""
    arguments = parse_arguments()
    extractor.model = str(arguments.model)
    try:
        extractor.pipeline  # noqa: B018
    except (OSError, ValueError) as error:
        raise SystemExit(f"app.py: {error}") from error
    demo.launch(
        server_name=arguments.host,
        server_port=arguments.port,
        share=arguments.share,
        theme=THEME,
        css=WORDS_CSS,
        footer_links=["settings"],
        max_file_size="20mb",
    )


if __name__ == "__main__":
    main()
