"""The page in a headless browser, and how `app.py` starts."""

import json
import re
import shutil
from pathlib import Path

import pytest
from app_fixture import ROOT, serve
from contrast import FAINTEST_TEXT
from gradio_client import Client
from PIL import Image
from tiny import save_tiny_checkpoint

from page.extractor import Extractor
from page.layout import build_page
from page.render.style import CSS, THEME
from page.request_guard import BlockRemoteFiles

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SENTENCE = "Zinedine Zidane met Ada in New York"
HOSTILE = "<img src=x onerror=alert(1)> Ada met <script>alert(2)</script> Bob ${alert(3)} {{Eve}} <b>in</b> Paris"
SCREENSHOTS = ROOT / "outputs" / "screenshots"  # of the last run of the tests, for people to look at
REQUEST = {"text": SENTENCE, "entities": ["Zinedine Zidane", "Ada", [27, 35]]}


COPY_A_RED_IMAGE = """async () => {
  const canvas = new OffscreenCanvas(64, 48), context = canvas.getContext("2d");
  context.fillStyle = "red";
  context.fillRect(0, 0, 64, 48);
  const image = await canvas.convertToBlob({type: "image/png"});
  await navigator.clipboard.write([new ClipboardItem({"image/png": image})]);
}"""


CAMERA_SHOWS = "() => [...document.querySelectorAll('video')].some(video => video.videoWidth > 0 && !video.paused)"


#: Text of hypergraphs that sticks out of its drawing.
CUT_OFF = """() => [...document.querySelectorAll("svg.hypergraph text")].filter(text => {
  const [inner, outer] = [text, text.closest("svg")].map(element => element.getBoundingClientRect());
  return inner.left < outer.left - 1 || inner.right > outer.right + 1;
}).map(text => text.textContent)"""


#: Names of the parts of a kind that are not dimmed in the hypergraph.
LIT = """kind => [...document.querySelectorAll(`svg.hypergraph ${kind}`)]
  .filter(part => getComputedStyle(part).opacity > 0.5)
  .map(part => [...part.classList].find(name => /^[en]\\d/.test(name)))"""


#: The size of the smallest letters in the drawings of an answer, in pixels of the screen.
SMALLEST_LETTERS = """() => Math.min(...[...document.querySelectorAll(".answer svg text")].map(text => {
  const scale = text.getScreenCTM();
  return parseFloat(getComputedStyle(text).fontSize) * Math.hypot(scale.a, scale.b);
}))"""


@pytest.fixture(scope="module")
def browser():
    """A session of headless Chromium; its pages share a cache, so that only the first one loads slowly."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        camera = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
        chromium = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage", *camera]
        )
        context = chromium.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
        context.set_default_timeout(120_000)
        context.grant_permissions(["clipboard-read", "clipboard-write", "camera"])
        yield context
        chromium.close()


def open_page(browser, address: str, link: str = "?example="):
    """The page behind a link, once it is there; by default an empty one."""
    page = browser.new_page()
    page.goto(address + link)
    page.locator("#words h4").wait_for()
    return page


@pytest.fixture
def page(address, browser):
    """An empty page; it must neither ask other machines for anything nor open a dialog."""
    requests, dialogs = [], []
    browser.on("request", lambda request: requests.append(request.url))
    page = open_page(browser, address)
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    yield page
    page.close()
    assert all(url.startswith((address, "data:", "blob:")) for url in requests)
    assert not dialogs


def keep_screenshot(page, name: str) -> None:
    """All of the page, once nothing moves any more."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.wait_for_timeout(400)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


def write_sentence(page, sentence: str) -> None:
    """Fill in the sentence and wait for its last word among those to click."""
    page.get_by_label("Sentence", exact=True).fill(sentence)
    page.locator(f"#words [data-word] >> text={sentence.split()[-1]}").last.wait_for()


def click_on_words(page, *words: str) -> None:
    """Click words and wait for each to change its state."""
    for word in words:
        token = page.locator("#words [data-word]", has_text=word).first
        number, was = token.get_attribute("data-word"), token.get_attribute("aria-pressed")
        token.click()
        now = "false" if was == "true" else "true"
        page.locator(f"#words [data-word='{number}'][aria-pressed={now}]").wait_for()


def picked_words(page) -> list[str]:
    return page.locator("#words [data-word][aria-pressed=true]").all_inner_texts()


def find_relations(page):
    """Press the button and return the rows of the table of pairs."""
    page.get_by_role("button", name="Find relations").click()
    page.locator("table.pairs").wait_for()
    return page.locator("table.pairs tr[data-pair]")


def add_image(page, path) -> None:
    page.locator("input[type=file]").first.set_input_files(path)
    page.get_by_role("button", name="Remove Image").wait_for()


def toast(page) -> str:
    """The message, after which the page must still answer."""
    page.get_by_test_id("toast-text").first.wait_for()
    return page.get_by_test_id("toast-text").first.inner_text()


def close_toast(page) -> None:
    """Close the message and wait until it has faded, or it would be taken for the next one."""
    page.get_by_test_id("toast-close").first.click()
    page.get_by_test_id("toast-text").first.wait_for(state="detached")


@pytest.fixture(scope="module")
def green(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("images") / "green.png"
    Image.new("RGB", (640, 480), "green").save(path)
    return path


# In the browser


@pytest.mark.browser
def test_clicked_entities_give_all_pairs_and_their_reasons(page):
    write_sentence(page, "zinedine zidane met ada in new york")
    click_on_words(page, "zinedine", "zidane", "ada", "new", "york")
    page.get_by_text("3 entities, so 3 pairs").wait_for()
    page.get_by_label("What the image shows").fill("A man holds a red ball on a street.")
    rows = find_relations(page)
    assert rows.count() == 3
    texts = rows.all_inner_texts()
    ends = [{name for name in ("zinedine zidane", "ada", "new york") if name in text} for text in texts]
    assert all(len(names) == 2 for names in ends) and len(set(map(frozenset, ends))) == 3
    assert all(re.search(r"\d\.\d%", text) for text in texts)

    page.locator("g.link[data-pair='1'] .reach").click(force=True)
    page.locator("tr[data-pair='1'].chosen").wait_for()
    page.locator("g.link[data-pair='2']").press("Enter")
    page.locator("tr[data-pair='2'].chosen").wait_for()
    head, tail = (rows.nth(2).locator(f"td.{end}").inner_text() for end in ("from", "to"))
    heading = page.locator(".details h3").inner_text()
    assert heading.startswith(head) and heading.endswith(tail)
    looked = page.locator(".panel", has_text="Attention on the").locator("table.bars").inner_text()
    assert all(name in looked for name in ("man", "red ball", "street", "the whole image"))
    shares = [float(share) for share in re.findall(r"([\d.]+)%", looked)]
    assert sum(shares) == pytest.approx(100, abs=0.3) and shares == sorted(shares, reverse=True)
    assert page.locator("svg.hypergraph g.node").count() == 6 and page.locator("svg.gaussians").count() == 1


@pytest.mark.browser
def test_pointing_at_a_part_of_the_hypergraph_dims_what_it_does_not_touch(page):
    write_sentence(page, SENTENCE)
    page.get_by_label("What the image shows").fill("A man holds a red ball.")
    find_relations(page)

    def lit(kind: str) -> list[str]:
        """Names of parts that are not dimmed: nodes n0 and n1 are the entities, e0 is the global hyperedge, e1 the
        text's, e2 and e3 join head and tail with the image."""
        page.wait_for_timeout(400)
        return page.evaluate(LIT, kind)

    page.locator("svg.hypergraph .node.n0 text").hover()
    assert (
        lit(".node") == ["n0"] and lit(".edge") == ["e0", "e1", "e2"] and set(lit("path.part")) == {"e0", "e1", "e2"}
    )
    page.locator("svg.hypergraph .edge.e2 circle").hover()
    assert lit(".edge") == ["e2"] and lit(".node") == ["n0", "n2", "n3", "n4"] and set(lit("path.part")) == {"e2"}
    page.locator("svg.hypergraph .edge.e0").focus()
    page.keyboard.press("Tab")
    page.mouse.move(0, 0)
    assert lit(".edge") == ["e1"] and lit(".node") == ["n0", "n1"], "the keyboard lights as the mouse does"


@pytest.mark.browser
def test_comparing_two_pairs_shows_how_attention_moves(page, green):
    write_sentence(page, SENTENCE)
    add_image(page, green)
    find_relations(page)
    page.locator("button[data-compare='1']").dblclick(delay=100)
    page.locator(".moved").wait_for()
    page.wait_for_timeout(500)
    assert page.locator("article").count() == 2 and page.locator("svg.image").count() == 2
    assert page.locator("tr[data-pair='1'].other").count() == 1
    keep_screenshot(page, "compared")
    page.locator("button[data-compare='1']").click()
    page.locator(".moved").wait_for(state="detached")


@pytest.mark.browser
def test_detector_puts_names_and_weights_on_the_image(page, green):
    page.get_by_text("Its weights are on this machine").wait_for()
    write_sentence(page, SENTENCE)
    add_image(page, green)
    find_relations(page)
    texts = page.locator("svg.image text").all_text_contents()
    assert texts and all(re.fullmatch(r"(person|dog|tie)( \d)? \d+%", text) for text in texts)
    names = [text.rsplit(" ", 1)[0] for text in texts]
    assert len(set(names)) == len(names), "several objects of one kind are told apart"
    assert page.get_by_label("What the image shows").input_value().endswith("."), "composed of what was found"


@pytest.mark.browser
def test_photos_of_all_kinds_are_read_and_huge_ones_refused(page, tmp_path):
    photo, blue = Image.new("RGB", (64, 48), "red"), Image.new("RGB", (64, 48), "blue")
    held = photo.getexif()
    held[274] = 6  # turned by a quarter
    photo.save(tmp_path / "rotated.jpg", exif=held)
    photo.convert("CMYK").save(tmp_path / "cmyk.jpg")
    photo.save(tmp_path / "animated.gif", save_all=True, append_images=[blue])
    Image.new("1", (20_000, 20_000)).save(tmp_path / "huge.png")
    write_sentence(page, SENTENCE)
    for name, size in (("rotated.jpg", "360 480"), ("cmyk.jpg", "480 360"), ("animated.gif", "480 360")):
        add_image(page, tmp_path / name)
        find_relations(page)
        assert page.locator("svg.image").get_attribute("viewBox").endswith(size), name
        page.get_by_role("button", name="Remove Image").click()
        page.locator("table.pairs").wait_for(state="detached")
    add_image(page, tmp_path / "huge.png")
    page.get_by_role("button", name="Find relations").click()
    assert "50 million" in toast(page)


@pytest.mark.browser
def test_button_describes_the_image(page, green):
    add_image(page, green)
    page.get_by_role("button", name="Describe the image for me").click()
    page.wait_for_function("() => [...document.querySelectorAll('textarea')].some(area => area.value.endsWith('.'))")
    assert page.get_by_label("What the image shows").input_value()


@pytest.mark.browser
def test_image_can_be_pasted(page):
    page.evaluate(COPY_A_RED_IMAGE)
    page.get_by_label("Paste from clipboard").click()
    page.get_by_role("button", name="Remove Image").wait_for()
    write_sentence(page, SENTENCE)
    find_relations(page)
    assert page.locator("svg.image").count() == 1


@pytest.mark.browser
def test_image_can_be_taken_with_a_camera(page):
    page.get_by_label("Capture from camera").click()
    page.get_by_role("button", name="Click to Access Webcam").click()
    page.wait_for_function(CAMERA_SHOWS)  # before that Gradio takes no photo, and says nothing
    page.get_by_label("capture photo").click()
    page.get_by_role("button", name="Remove Image").wait_for()
    write_sentence(page, SENTENCE)
    find_relations(page)
    assert page.locator("svg.image").count() == 1


@pytest.mark.browser
def test_keyboard_picks_words_and_chooses_pairs(page):
    write_sentence(page, SENTENCE)
    word = page.locator("#words [data-word='2']")
    word.press("Enter")
    page.locator("#words [data-word='2'][aria-pressed=true]").wait_for()
    assert page.evaluate("document.activeElement.dataset.word") == "2", "the focus stays on the word"
    word.press("Enter")
    page.locator("#words [data-word='2'][aria-pressed=false]").wait_for()
    rows = find_relations(page)
    rows.nth(1).locator("button.name").press("Enter")
    page.locator("tr[data-pair='1'] button.name[aria-pressed='true']").wait_for()
    assert page.evaluate("document.activeElement.dataset.key") == "pair-1"


@pytest.mark.browser
def test_suggestions_can_be_dropped_and_brought_back(page):
    write_sentence(page, SENTENCE)
    assert picked_words(page) == ["Zinedine", "Zidane", "Ada", "New", "York"]
    click_on_words(page, "Ada")
    assert picked_words(page) == ["Zinedine", "Zidane", "New", "York"]
    page.get_by_role("button", name="Clear entities").click()
    page.get_by_text("click the words of at least two").wait_for()
    page.get_by_role("button", name="Suggest entities").click()
    page.get_by_text("3 entities, so 3 pairs").wait_for()


@pytest.mark.browser
def test_answer_goes_when_other_entities_are_picked(page):
    write_sentence(page, SENTENCE)
    find_relations(page)
    click_on_words(page, "Ada")
    page.locator("table.pairs").wait_for(state="detached")
    assert find_relations(page).count() == 1


@pytest.mark.browser
def test_double_click_counts_once_and_fast_clicks_all_count(page):
    write_sentence(page, "ada met bob and eve")
    page.locator("#words [data-word='0']").dblclick()
    page.locator("#words [data-word='0'][aria-pressed=true]").wait_for()
    for number in (2, 4):
        page.locator(f"#words [data-word='{number}']").click(no_wait_after=True)
    page.get_by_text("3 entities, so 3 pairs").wait_for()
    page.get_by_role("button", name="Find relations").dblclick()
    page.locator("table.pairs").wait_for()


@pytest.mark.browser
def test_invalid_requests_are_refused_and_the_page_goes_on(page, tmp_path):
    run = page.get_by_role("button", name="Find relations")
    run.click()
    assert "Write a sentence first" in toast(page)
    close_toast(page)
    write_sentence(page, "Ada sleeps")
    run.click()
    assert "needs two entities" in toast(page)
    close_toast(page)
    (tmp_path / "broken.png").write_bytes(b"no image")
    write_sentence(page, SENTENCE)
    add_image(page, tmp_path / "broken.png")
    run.click()
    assert "cannot be read" in toast(page)
    close_toast(page)
    page.get_by_role("button", name="Remove Image").click()
    assert find_relations(page).count() == 3


@pytest.mark.browser
def test_ten_thousand_words_are_refused(page):
    page.get_by_label("Sentence", exact=True).fill("Ada met Bob " * 3_334)
    page.get_by_text("Up to 2,000 can be read").wait_for()
    page.get_by_role("button", name="Find relations").click()
    assert "characters" in toast(page)


@pytest.mark.browser
def test_markup_in_a_sentence_is_shown_as_text(page):
    write_sentence(page, HOSTILE)
    page.get_by_role("button", name="Clear entities").click()
    page.get_by_text("click the words of at least two").wait_for()
    click_on_words(page, "Eve", "Paris", "script")
    find_relations(page)
    assert page.locator("#words img, #words b, #answer img, #answer script, .details b script").count() == 0
    assert "<script>alert(2)</script>" in page.locator("#answer blockquote").inner_text()


@pytest.mark.browser
def test_sentence_from_right_to_left_is_laid_out_so(page):
    write_sentence(page, "التقى أحمد بسارة في القاهرة 🎉 Ada Bob")
    assert page.locator(".words").evaluate("element => getComputedStyle(element).direction") == "rtl"
    click_on_words(page, "أحمد")
    assert find_relations(page).count() >= 1


@pytest.mark.browser
def test_link_to_an_example_opens_it_answered(address, browser):
    page = open_page(browser, address, "?example=game")
    page.locator("table.pairs").wait_for()
    assert page.get_by_label("Sentence", exact=True).input_value().startswith("LeBron James")
    page.locator("a[data-example=wedding]").click()
    page.locator("#answer blockquote", has_text="Windsor Castle").wait_for()
    assert page.url.endswith("example=wedding")
    page.close()


@pytest.mark.browser
def test_answer_can_be_taken_home(page):
    write_sentence(page, SENTENCE)
    find_relations(page)
    for label, name, start in (("JSON", "relations.json", b"{"), ("SVG", "pair.svg", b"<svg ")):
        with page.expect_download() as download:
            page.get_by_role("link", name=label).click()
        assert download.value.suggested_filename == name
        assert Path(download.value.path()).read_bytes().startswith(start)


@pytest.mark.browser
def test_feedback_is_kept(page, feedback):
    write_sentence(page, SENTENCE)
    find_relations(page)
    page.get_by_role("button", name="This pair is right").dblclick(delay=100)
    page.get_by_text("Thank you, that is kept").wait_for()
    page.get_by_label("It should be").click()
    page.get_by_role("option", name="member of").click()
    page.get_by_role("button", name="This pair is wrong").click()
    page.get_by_text("Thank you, that is kept").nth(1).wait_for()
    right, wrong = feedback.read_text().splitlines()[-2:]
    assert right.endswith("right,") and wrong.endswith("wrong,/per/org/member_of")
    assert feedback.read_text().count("right,") == 1, "a double click counts once"


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1440])
def test_page_fits_the_screen(page, width, green):
    page.set_viewport_size({"width": width, "height": 844})
    write_sentence(page, SENTENCE)
    add_image(page, green)
    find_relations(page)
    page.locator("button[data-compare]").first.click()
    page.locator(".moved").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CUT_OFF) == [], "all names in the drawings are whole"
    assert page.evaluate(SMALLEST_LETTERS) >= 11 and page.locator("td.entropy").first.is_visible()
    keep_screenshot(page, f"{width}-pixels-wide")


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out_from_what_lies_behind_it(address, browser, theme):
    page = open_page(browser, address, f"?__theme={theme}&example=wedding")
    page.locator("table.pairs").wait_for()
    page.locator("button[data-compare]").first.click()
    page.locator(".moved").wait_for()
    keep_screenshot(page, theme)
    dark = page.evaluate("document.body.classList.contains('dark')")
    contrast, text = page.evaluate(FAINTEST_TEXT)
    page.close()
    assert dark == (theme == "dark")
    assert contrast >= 4.5, f"WCAG AA asks 4.5 of {text!r}"


@pytest.mark.browser
def test_bundled_model_answers_the_first_example(tmp_path_factory, browser):
    """Its screenshot is the README's image: `cp outputs/screenshots/page.png assets/page.png`."""
    server = serve(tmp_path_factory)
    page = open_page(browser, next(server), "")
    page.locator("table.pairs").wait_for()
    assert page.locator("table.pairs tr[data-pair]").count() == 3
    assert page.locator("svg.image text").count() >= 2, "what the image shows is boxed and named"
    keep_screenshot(page, "page")
    page.close()
    server.close()


WARNING = "This text is in a script that the model <b>never</b> saw."


class Doubting(Extractor):
    """An extractor whose pipeline warns of every answer."""

    def __call__(self, request: dict, detector: str) -> dict:
        return {**super().__call__(request, detector), "warnings": [WARNING]}


@pytest.fixture(scope="module")
def doubting_page(tmp_path_factory):
    """A page in this process, whose answers come with a warning."""
    demo = build_page(Doubting(save_tiny_checkpoint(tmp_path_factory.mktemp("tiny")), "none"))
    _, address, _ = demo.launch(prevent_thread_lock=True, quiet=True, theme=THEME, css=CSS)
    yield address.rstrip("/")
    demo.close()


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_warnings_stand_above_the_table_in_letters_that_stand_out(doubting_page, browser, theme):
    page = open_page(browser, doubting_page, f"?__theme={theme}&example=game")
    told = page.locator(".answer [role=status]")
    told.wait_for()
    assert told.inner_text() == WARNING
    assert told.bounding_box()["y"] < page.locator("table.pairs").bounding_box()["y"]
    keep_screenshot(page, f"warning-{theme}")
    contrast, text = page.evaluate(FAINTEST_TEXT)
    with page.expect_download() as download:
        page.get_by_role("link", name="JSON").click()
    page.close()
    assert contrast >= 4.5, f"WCAG AA asks 4.5 of {text!r}"
    assert json.loads(Path(download.value.path()).read_text())["warnings"] == [WARNING]


def test_programs_get_warnings_too(doubting_page):
    answer = Client(doubting_page, verbose=False).predict(**REQUEST, api_name="/extract")
    assert answer["warnings"] == [WARNING]


def test_a_model_without_weights_is_reported_and_the_page_starts(tmp_path, monkeypatch, capsys):
    import app  # here, so that the page of the bundled model is built for this test only

    launches = []
    monkeypatch.setattr(app, "extractor", Extractor(tmp_path))
    monkeypatch.setattr(app.demo, "launch", lambda **settings: launches.append(settings))
    app.main()
    assert f'No model weights (*.safetensors) in "{tmp_path}"' in capsys.readouterr().err
    assert launches[0]["app_kwargs"]["middleware"][0].cls is BlockRemoteFiles


@pytest.fixture(scope="module")
def finding_page(tmp_path_factory):
    """A page in this process, whose model takes every word for a person and knows two annotation styles."""
    settings = {"mention_kinds": ["place", "person"], "annotation_styles": ["general", "mnre"]}
    extractor = Extractor(save_tiny_checkpoint(tmp_path_factory.mktemp("tiny"), **settings), "none")
    extractor.get_pipeline().model.mention_head.layers[-1].bias.data[3] += 50
    demo = build_page(extractor)
    _, address, _ = demo.launch(prevent_thread_lock=True, quiet=True, theme=THEME, css=CSS)
    yield address.rstrip("/")
    demo.close()


@pytest.mark.browser
def test_entities_are_found_with_their_kinds_and_may_be_changed(finding_page, browser):
    page = open_page(browser, finding_page)
    write_sentence(page, "ada met bob")
    page.get_by_text("3 entities, so 3 pairs").wait_for()
    assert picked_words(page) == ["ada", "met", "bob"]
    assert page.locator("#words .kind").all_inner_texts() == ["person"] * 3
    title = page.locator("#words .entity").first.get_attribute("title")
    assert re.fullmatch(r"Found as person, \d+\.\d%", title)
    click_on_words(page, "met")
    page.get_by_text("2 entities, so 1 pair").wait_for()
    assert page.locator("#words .kind").all_inner_texts() == ["person"] * 2
    assert find_relations(page).count() == 1
    with page.expect_download() as download:
        page.get_by_role("link", name="JSON").click()
    kept = json.loads(Path(download.value.path()).read_text())["entities"]
    assert [(entity["text"], entity["kind"]) for entity in kept] == [("ada", "person"), ("bob", "person")]
    page.close()


@pytest.mark.browser
def test_annotation_style_is_one_of_more_choices_and_changes_the_answer(finding_page, browser):
    page = open_page(browser, finding_page)
    choice = page.get_by_label("Annotation style")
    assert not choice.is_visible()
    write_sentence(page, "ada met bob")
    general = find_relations(page).first.inner_text()
    page.get_by_role("button", name="More choices").click()
    page.get_by_text("mnre: as the annotators of the MNRE benchmark would mark").wait_for()
    choice.click()
    page.get_by_role("option", name="mnre").click()
    page.get_by_role("button", name="Find relations").click()
    page.wait_for_function(
        "before => document.querySelector('table.pairs tr[data-pair]')?.innerText !== before", arg=general
    )
    keep_screenshot(page, "annotation-style")
    page.close()


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_kinds_stand_beside_the_last_word_and_out_from_what_lies_behind_them(finding_page, browser, theme):
    page = open_page(browser, finding_page, f"?__theme={theme}&example=")
    page.set_viewport_size({"width": 360, "height": 844})
    write_sentence(page, f"zinedine met bartholomew and {'x' * 70} in constantinople")
    page.locator("#words .kind").nth(5).wait_for()
    tops = page.locator("#words .end").evaluate_all(
        "ends => ends.map(end => [end.firstChild, end.children[1]].map(part => part.getBoundingClientRect().bottom))"
    )
    widest = page.evaluate("document.documentElement.scrollWidth")
    keep_screenshot(page, f"kinds-{theme}")
    contrast, text = page.evaluate(FAINTEST_TEXT)
    page.close()
    assert all(abs(word - kind) < 12 for word, kind in tops), "in one line"
    assert widest <= 360
    assert contrast >= 4.5, f"WCAG AA asks 4.5 of {text!r}"
