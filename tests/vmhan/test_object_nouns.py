import pytest

from vmhan.object_nouns import object_names


@pytest.mark.parametrize(
    "description, names",
    [
        ("A man in a red sports jersey holding a basketball.", ["man", "red sports jersey", "basketball"]),
        ("Two men in suits shaking hands in front of a yellow wall.", ["men", "suits", "hands"]),
        ("A close-up of a person's hand holding a guitar neck.", ["person", "hand", "guitar neck"]),
        ("The image shows a group of people on a street.", ["people", "street"]),
        ("A black and white photo of a man, smiling at the camera.", ["man"]),
        ("A man in a red and black jersey.", ["man", "red and black jersey"]),
        ("The man is shirtless. There is a dog and a dimly lit room.", ["man", "dog", "room"]),
        ("A pool surrounded by trees; some standing, others sitting.", ["pool", "trees"]),
        ("A flying bird near a large building.", ["flying bird", "large building"]),
        ("People preparing to speak; we can see flags.", ["people"]),
    ],
)
def test_names_are_the_noun_phrases_without_determiners(description, names):
    assert object_names(description) == names


def test_quoted_text_names_no_objects():
    assert object_names('\nA poster that reads "A dog and a cat" with the words “big horse”.') == ["poster"]


def test_at_most_k_names_in_order_of_appearance():
    description = "A dog, a cat, a horse and a cow."
    assert object_names(description) == ["dog", "cat", "horse"]
    assert object_names(description, k=4) == ["dog", "cat", "horse", "cow"]
    assert object_names(description, k=0) == []


def test_names_are_lower_case_and_distinct():
    assert object_names("A Dog and a DOG beside Big Ben.") == ["dog", "big ben"]


@pytest.mark.parametrize(
    "label", ["person", "traffic light", "fire hydrant", "stop sign", "dining table", "orange", "skis", "wine glass"]
)
def test_a_detector_label_comes_back_as_it_is(label):
    assert object_names(label) == [label]


@pytest.mark.parametrize("nothing", [None, "", " \n", "🎉🎉", "...", "'", "100"])
def test_text_without_objects_gives_no_names(nothing):
    assert object_names(nothing) == []


@pytest.mark.parametrize("foreign", ["رجل يقف أمام مبنى", "人が立っている", "🎉 رجل، سيارة", "A\u202eman\u202c"])
def test_text_in_any_script_is_accepted(foreign):
    assert all(isinstance(name, str) and name for name in object_names(foreign))


def test_a_negative_k_is_refused():
    with pytest.raises(ValueError, match="k is -1"):
        object_names("A dog.", k=-1)
