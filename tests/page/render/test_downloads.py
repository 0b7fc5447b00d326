"""What can be downloaded of an answer."""

import base64
import json

from answers import make_answer, make_pair

from page.render.downloads import answer_downloads, answer_json


def test_json_is_what_the_pipeline_answered(image):
    answer = make_answer(make_pair(), image=image, text="Ada met Bob ☕", chosen=0, other=None)
    kept = json.loads(answer_json(answer))
    lists = {"pairs": [make_pair()], "entities": [], "objects": []}
    assert kept == {"text": "Ada met Bob ☕", "description": None, **lists}
    for warnings in ([], ["The text is in another script."]):
        assert json.loads(answer_json({**answer, "warnings": warnings})) == {**kept, "warnings": warnings}


def test_links_hold_the_files():
    pairs, figure = answer_downloads(make_answer(make_pair()), 0)
    contents = [base64.b64decode(link.address.split("base64,")[1]).decode() for link in (pairs, figure)]
    assert (pairs.file, figure.file) == ("relations.json", "pair.svg")
    assert json.loads(contents[0])["text"] == "Ada" and contents[1].startswith("<svg ")
