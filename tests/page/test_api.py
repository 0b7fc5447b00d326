"""`/extract` for programs, and as a tool for agents."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from app_fixture import Agent
from gradio_client import Client, handle_file
from PIL import Image

REQUEST = {"text": "Zinedine Zidane met Ada in New York", "entities": ["Zinedine Zidane", "Ada", [27, 35]]}


@pytest.fixture(scope="module")
def client(address) -> Client:
    return Client(address, verbose=False)


def test_endpoint_is_typed_and_documented(client):
    endpoints = client.view_api(return_format="dict")["named_endpoints"]
    assert list(endpoints) == ["/extract"]
    parameters = {item["parameter_name"]: item for item in endpoints["/extract"]["parameters"]}
    assert list(parameters) == ["text", "image", "entities", "description", "annotation_style"]
    assert parameters["text"]["type"] == {"type": "string"}
    assert parameters["entities"]["type"]["type"] == "array"
    assert [name for name, item in parameters.items() if not item["parameter_has_default"]] == ["text"]
    assert "every pair" in str(endpoints["/extract"].get("description", ""))


def test_endpoint_answers_as_the_pipeline_does(client, tmp_path):
    image = tmp_path / "green.png"
    Image.new("RGB", (640, 480), "green").save(image)
    plain = client.predict(**REQUEST, api_name="/extract")
    assert set(plain) == {"pairs", "entities", "objects", "description", "warnings"} and len(plain["pairs"]) == 3
    seen = client.predict(**REQUEST, image=handle_file(str(image)), api_name="/extract")
    assert seen["objects"] and seen["description"]
    said = client.predict(**REQUEST, image=handle_file(str(image)), description="A lawn.", api_name="/extract")
    assert said["description"] == "A lawn."


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"text": ""}, "Write a sentence first"),
        ({"entities": ["Ada"]}, "needs two entities"),
        ({"entities": [[0, 8], [0, 15]]}, "overlap"),
        ({"entities": ["Ada", "Eve"]}, "does not occur"),
        ({"entities": 7}, "list"),
        ({"entities": None}, "This model finds no entities by itself"),
        ({"annotation_style": "mnre"}, "'mnre', which this model does not know: it has none"),
    ],
)
def test_endpoint_refuses_kindly_and_goes_on(client, change, message):
    with pytest.raises(Exception, match=message):
        client.predict(**{**REQUEST, **change}, api_name="/extract")
    assert client.predict(**REQUEST, api_name="/extract")["pairs"]


def test_agents_find_the_endpoint_as_a_tool(address):
    agent = Agent(address)
    (tool,) = agent.tools()
    answer = agent.call(REQUEST)
    assert tool.name.endswith("extract") and "every pair" in tool.description
    assert set(tool.inputSchema["properties"]) == {"text", "image", "entities", "description", "annotation_style"}
    assert not answer.isError and answer.content[0].text.count("'relation'") == 3


def test_eight_visitors_at_once_are_all_served(address):
    clients = [Client(address, verbose=False) for _ in range(8)]

    def ask(number: int) -> dict:
        return clients[number].predict(text=f"Ada met Bob{number}", entities=["Ada", f"Bob{number}"],
                                       api_name="/extract")  # fmt: skip

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))
    ends = [{answer["pairs"][0][end]["text"] for end in ("head", "tail")} for answer in answers]
    assert ends == [{"Ada", f"Bob{number}"} for number in range(8)], "everyone gets the answer to what they asked"
