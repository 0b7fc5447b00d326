"""Annotation styles in which a model answers."""

import pytest

from train.answers import chosen_style
from train.settings_parser import SettingsError


class Styled:
    annotation_styles = ("general", "mnre")


def test_the_style_is_the_chosen_one_or_the_first_of_the_model():
    assert chosen_style(Styled, None) == "general" and chosen_style(Styled, "mnre") == "mnre"
    with pytest.raises(SettingsError, match="it knows general, mnre"):
        chosen_style(Styled, "news")
