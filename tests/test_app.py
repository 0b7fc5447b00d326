"""The page: its plain functions, and the page itself in a headless browser."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from PIL import Image
from tiny import save_tiny_checkpoint

import app
from app import Entities, character_spans, click_word, follow_sentence, highlighted, suggest_entities

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SENTENCE = "Zinedine Zidane met Ada in New York"
HOSTILE = "<img src=x onerror=alert(1)> Ada met <script>alert(2)</script> Bob ${alert(3)} {{Eve}} <b>in</b> Paris"


def picked(entities: Entities) -> list[str]:
    """The text of the entities."""
    return [entities.sentence[start:end] for start, end in character_spans(entities)]


def click_words(sentence: str, words: list[int], join: bool = True) -> list[str]:
    """What is picked after clicks on a sentence without entities."""
    entities = Entities(sentence)
    for word in words:
        entities = click_word(entities, word, join)
    return picked(entities)


def make_pair(**changes) -> dict:
    """A pair as the pipeline returns it."""
    pair = {
        "head": {"text": "Ada", "start": 0, "end": 3},
        "tail": {"text": "Bob", "start": 8, "end": 11},
        "relation": "/per/per/peer",
        "score": 0.75,
        "scores": {"/per/per/peer": 0.75, "None": 0.25},
        "entropy": 0.56,
        "variance": 0.8,
        "objects": [],
    }
    return {**pair, **changes}


# Sentence and entities


def test_words_and_marks_stand_apart():
    sentence = "Ada's friend @bob_1 visits St-Denis, #Paris2024!"
    assert app.word_texts(sentence) == ["Ada", "'s", "friend", "@bob_1", "visits", "St-Denis", ",", "#Paris2024", "!"]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Zinedine Zidane and Carlo Ancelotti watch", ["Zinedine Zidane", "Carlo Ancelotti"]),
        ("The Bank of America in New York", ["Bank of America", "New York"]),
        ("RT @NASA: We land in Madrid, Spain #Mars", ["@NASA", "Madrid", "Spain", "#Mars"]),
        ("Ada's Paris", ["Ada", "Paris"]),
        ("nothing of note # here", []),
        ("", []),
    ],
)
def test_suggestions_are_names_mentions_and_hashtags(sentence, expected):
    assert picked(suggest_entities(sentence)) == expected


def test_every_example_suggests_at_least_three_entities():
    assert all(len(suggest_entities(sentence).ranges) >= 3 for _, sentence, _, _ in app.EXAMPLES)


def test_words_side_by_side_become_one_entity():
    assert click_words(SENTENCE, [0, 3, 1]) == ["Zinedine Zidane", "Ada"]


def test_word_between_two_entities_joins_them():
    assert click_words(SENTENCE, [0, 2, 1]) == ["Zinedine Zidane met"]


def test_words_side_by_side_stay_apart_if_not_joined():
    assert click_words(SENTENCE, [0, 1], join=False) == ["Zinedine", "Zidane"]


def test_second_click_drops_a_word():
    assert click_words(SENTENCE, [3, 3]) == []
    assert click_words(SENTENCE, [0, 1, 2, 1]) == ["Zinedine", "met"]


def test_click_past_the_sentence_changes_nothing():
    assert click_words("", [4]) == []


def test_picked_words_survive_an_edit_elsewhere():
    entities = click_word(click_word(Entities("ada met bob in Paris"), 0), 2)
    assert picked(follow_sentence(entities, "ada once met bob in Rome")) == ["ada", "bob"]


def test_new_sentence_brings_suggestions():
    entities = click_word(Entities("ada met bob"), 0)
    assert picked(follow_sentence(entities, "Eve left Rome")) == ["Eve", "Rome"]


def test_words_on_show_spell_the_sentence():
    shown = highlighted(suggest_entities("Ada  met\nBob!"))
    assert shown == [("Ada  ", "1"), ("met\n", None), ("Bob", "2"), ("!", None)]


# What is shown of an answer


def test_relations_read_as_words():
    assert app.readable("/per/org/member_of") == "member of"
    assert app.readable("None") == "no relation"


def test_pairs_without_relation_come_last():
    pairs = [make_pair(relation="None", score=0.9), make_pair(score=0.3), make_pair(score=0.6)]
    assert [pair["score"] for pair in app.sort_pairs(pairs)] == [0.6, 0.3, 0.9]


def test_html_escapes_what_a_visitor_wrote():
    hostile = {"text": "<script>alert(1)</script>", "start": 0, "end": 25}
    node = {"label": "<b>ball</b>", "score": 1.0, "box": None, "attention": 1.0}
    pair = make_pair(head=hostile, tail=hostile, objects=[node])
    shown = app.pairs_html([pair], 0) + app.pair_html(pair, has_picture=False, has_description=True)
    assert "<script" not in shown and "<b>" not in shown
    assert "&lt;script&gt;" in shown and "&lt;b&gt;" in shown


def test_toast_escapes_what_a_visitor_wrote():
    assert app.refuse("Title", "no <b>ball</b>").message == "no &lt;b&gt;ball&lt;/b&gt;"


def test_picture_without_description_is_explained():
    assert "without a description" in app.pair_html(make_pair(), has_picture=True, has_description=False)


def test_box_of_the_whole_picture_is_not_drawn():
    nodes = [
        {"label": "image", "score": 1.0, "box": [0.0, 0.0, 9.0, 9.0], "attention": 0.6},
        {"label": "ball", "score": 0.9, "box": [1.2, 1.6, 4.0, 5.0], "attention": 0.3},
        {"label": "crowd", "score": 1.0, "box": None, "attention": 0.1},
    ]
    assert app.boxes(make_pair(objects=nodes)) == [((1, 2, 4, 5), "ball")]


def test_examples_without_their_picture_are_left_out(monkeypatch):
    monkeypatch.setattr(app, "find_spec", lambda name: None)
    labels, rows = app.usable_examples()
    assert labels == ["A concert, no picture"] and rows[0][1] is None


def test_folder_without_weights_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=re.escape(str(tmp_path))):
        app.Extractor(tmp_path).pipeline  # noqa: B018


def test_command_line_reports_a_folder_without_weights(monkeypatch, tmp_path):
    monkeypatch.setattr(app, "extractor", app.Extractor("unused"))
    monkeypatch.setattr(sys, "argv", ["app.py", "--model", str(tmp_path)])
    with pytest.raises(SystemExit, match="No model weights"):
        app.main()


# The page in a browser


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The address of `python app.py` with a tiny model."""
    model = save_tiny_checkpoint(tmp_path_factory.mktemp("tiny"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("log") / "app.log"
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "GRADIO_TEMP_DIR": str(tmp_path_factory.mktemp("gradio"))}
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, app.__file__, "--model", model, "--port", str(port)],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
        )
    try:
        yield wait_for_page(f"http://127.0.0.1:{port}", server, log)
    finally:
        server.terminate()
        server.wait(timeout=20)


def wait_for_page(address: str, server: subprocess.Popen, log: Path) -> str:
    """The address, once it answers."""
    for _ in range(240):
        assert server.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return address
        except OSError:
            time.sleep(0.25)
    raise TimeoutError(log.read_text())


@pytest.fixture(scope="module")
def browser():
    """A session of headless Chromium; its pages share a cache, so that only the first one loads slowly."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield chromium.new_context(viewport={"width": 1280, "height": 900})
        chromium.close()


@pytest.fixture
def page(address, browser):
    """The page, freshly opened; it must neither ask other machines for anything nor open a dialog."""
    page = browser.new_page()
    requests, dialogs = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(address)
    page.get_by_role("button", name="Find relations").wait_for()
    yield page
    page.close()
    assert all(url.startswith((address, "data:", "blob:")) for url in requests)
    assert not dialogs


def write_sentence(page, sentence: str) -> None:
    """Fill in the sentence and wait for its last word among those to click."""
    page.get_by_label("Sentence").fill(sentence)
    page.locator("#words .token").last.get_by_text(sentence.split()[-1]).wait_for()


def click_on_words(page, *words: str) -> None:
    """Click words and wait for each to change its state."""
    for word in words:
        token = page.locator("#words .token", has_text=word).first
        was_picked = "highlighted" in token.get_attribute("class")
        token.click()
        state = page.locator("#words .token" + (":not(.highlighted)" if was_picked else ".highlighted"), has_text=word)
        state.first.wait_for()


def picked_words(page) -> list[str]:
    return [text.strip() for text in page.locator("#words .token.highlighted").all_inner_texts()]


def find_relations(page):
    """Press the button and return the rows of the table of pairs."""
    page.get_by_role("button", name="Find relations").click()
    page.locator("table.pairs").wait_for()
    return page.locator("table.pairs tr[data-pair]")


def toast(page) -> str:
    page.get_by_test_id("toast-text").wait_for()
    return page.get_by_test_id("toast-text").inner_text()


@pytest.mark.browser
def test_clicked_entities_give_all_pairs_and_their_details(page, tmp_path):
    write_sentence(page, "zinedine zidane met ada in new york")
    click_on_words(page, "zinedine", "zidane", "ada", "new", "york")
    page.get_by_text("3 picked, so 3 pairs").wait_for()
    page.get_by_label("What the picture shows").fill("A man holds a red ball on a street.")
    rows = find_relations(page)
    assert rows.count() == 3
    texts = rows.all_inner_texts()
    ends = [{name for name in ("zinedine zidane", "ada", "new york") if name in text} for text in texts]
    assert all(len(names) == 2 for names in ends) and len(set(map(frozenset, ends))) == 3
    assert all(re.search(r"\d\.\d%", text) for text in texts)

    rows.nth(2).click()
    page.locator("tr[data-pair='2'].chosen").wait_for()
    head, tail = (rows.nth(2).locator("td").nth(column).inner_text() for column in (0, 2))
    page.get_by_role("heading", name=f"{head} and {tail}").wait_for()
    scores, nodes = (page.locator("table.bars").nth(place) for place in (0, 1))
    assert scores.locator("tr").count() == app.SHOWN_SCORES
    attention = nodes.inner_text()
    assert all(name in attention for name in ("man", "red ball", "street", "the whole picture"))
    shares = [float(share) for share in re.findall(r"([\d.]+)%", attention)]
    assert sum(shares) == pytest.approx(100, abs=0.3) and shares == sorted(shares, reverse=True)
    page.screenshot(path=tmp_path / "page.png", full_page=True)
    assert Image.open(tmp_path / "page.png").width == 1280


@pytest.mark.browser
def test_keyboard_chooses_a_pair(page):
    write_sentence(page, SENTENCE)
    rows = find_relations(page)
    rows.nth(1).get_by_role("button").press("Enter")
    page.locator("tr[data-pair='1'] button[aria-pressed='true']").wait_for()


@pytest.mark.browser
def test_suggestions_can_be_dropped_and_brought_back(page):
    write_sentence(page, SENTENCE)
    assert picked_words(page) == ["Zinedine", "Zidane", "Ada", "New", "York"]
    click_on_words(page, "Ada")
    assert picked_words(page) == ["Zinedine", "Zidane", "New", "York"]
    page.get_by_role("button", name="Clear entities").click()
    page.get_by_text("click the words of at least two").wait_for()
    assert picked_words(page) == []
    page.get_by_role("button", name="Suggest entities").click()
    page.get_by_text("3 picked, so 3 pairs").wait_for()


@pytest.mark.browser
def test_empty_sentence_is_refused(page):
    page.get_by_role("button", name="Find relations").click()
    assert "Write a sentence first" in toast(page)
    assert page.locator("table.pairs").count() == 0


@pytest.mark.browser
def test_one_entity_is_refused(page):
    write_sentence(page, "Ada sleeps")
    page.get_by_role("button", name="Find relations").click()
    assert "needs two entities" in toast(page)


@pytest.mark.browser
def test_unreadable_picture_is_refused(page, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    write_sentence(page, SENTENCE)
    page.locator("input[type=file]").first.set_input_files(tmp_path / "broken.png")
    page.get_by_role("button", name="Remove Image").wait_for()
    page.get_by_role("button", name="Find relations").click()
    assert "cannot be read" in toast(page)


@pytest.mark.browser
def test_picture_without_description_adds_no_visual_nodes(page, tmp_path):
    Image.new("RGB", (64, 48), "green").save(tmp_path / "green.png")
    assert page.get_by_text("without a description, the picture changes nothing").is_visible()
    write_sentence(page, SENTENCE)
    page.locator("input[type=file]").first.set_input_files(tmp_path / "green.png")
    page.get_by_role("button", name="Remove Image").wait_for()
    find_relations(page)
    page.get_by_text("The picture came without a description").wait_for()
    page.locator("img.base-image").wait_for()


@pytest.mark.browser
def test_example_fills_the_page_and_forgets_the_last_result(page):
    write_sentence(page, SENTENCE)
    find_relations(page)
    page.get_by_text("A concert, no picture").click()
    page.get_by_text("5 picked, so 10 pairs").wait_for()
    page.locator("table.pairs").wait_for(state="hidden")
    assert find_relations(page).count() == 10


@pytest.mark.browser
def test_markup_in_a_sentence_is_shown_as_text(page):
    write_sentence(page, HOSTILE)
    page.get_by_role("button", name="Clear entities").click()
    page.get_by_text("click the words of at least two").wait_for()
    click_on_words(page, "Eve", "Paris")
    script = app.word_texts(HOSTILE).index("script")
    for place in (script - 1, script, script + 1):
        page.locator("#words .token").nth(place).click()
    page.get_by_text("3 picked, so 3 pairs").wait_for()
    find_relations(page)
    assert "<script>" in page.locator("table.pairs").inner_text()
    assert page.locator("#words img, #words b, table.pairs script, table.pairs b").count() == 0


@pytest.mark.browser
def test_page_fits_a_phone(page):
    page.set_viewport_size({"width": 390, "height": 844})
    write_sentence(page, SENTENCE)
    find_relations(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
