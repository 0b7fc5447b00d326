"""Nouns in the description of an image that name its objects.

Example:
    >>> object_names("A man in a red sports jersey holding a basketball, with a crowd in the background.")
    ['man', 'red sports jersey', 'basketball']
"""

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A word of the next five lists ends a phrase. After an article a verb is an adjective: "a flying bird".
_ARTICLES = _words("a an the his her its their our your my")
_DETERMINERS = _words(
    """this that these those one two three four five six seven eight nine ten eleven twelve some any all both each
    every either another other no several many multiple various numerous few different more most such same"""
)
# What follows one of these without a determiner is a verb or a predicate: "is shirtless", "to speak", "can see".
_LINKS = _words(
    """is are was were be been being do does did to not may might can could will would should must seem seems
    appear appears look looks become becomes"""
)
_FUNCTION_WORDS = _words(
    """of in on at by for with from into onto over under above below behind beside besides between among against
    around across along through throughout toward towards near off out up down upon within without inside
    outside next about after before during until since via per beneath underneath amid amidst alongside beyond
    like despite except past as than has have had and or but nor if then so because while when where which who
    whom whose what how why though although it he she they him them we us you i me himself herself itself
    themselves there here someone something somebody anyone anything everyone everything nothing others also
    just only still very too even ever never again already perhaps maybe together apart away back forward
    upwards downwards upward downward sideways indoors outdoors nearby overhead alike almost quite rather lit
    visible present possible due related available similar asleep"""
)
_VERBS = _words(
    """shows depict depicts features displays showcases captures contain contains include includes illustrates
    portray portrays presents consist consists suggest suggests indicate indicates reads says states mentions
    announces describes represent represents resemble resembles wear wears hold holds stand stands sit sits lies
    walks runs plays smiles sings performs poses speak speaks talks gestures points leans rides carry carries
    touches reaches jumps kicks throws hangs flies floats rises raises watches listens surround surrounds covers
    makes takes gives gets goes comes uses hugs shakes rests emerges overlooks advertises promotes highlights
    implies conveys evokes adds creates fills lists stretches leads focuses works enjoys drives engages
    celebrates attempts prepares swings arches asks shown seen worn held taken written set drawn made built
    hung thrown known overlaid used tied named titled called labeled dressed seated"""
)
_ING_NOUNS = _words(
    """building clothing painting drawing ceiling earring ring king string wing swing spring lightning railing
    wedding evening morning awning scaffolding lighting packaging setting boxing wrestling swimming parking
    dining living shopping racing training"""
)
_LY_WORDS = _words("family butterfly dragonfly jelly lily belly assembly rally fly curly elderly friendly lively")
_COLORS = _words(
    """red white black blue green yellow orange purple pink brown grey gray gold silver beige navy maroon teal dark
    light"""
)
# A phrase of these words alone names nothing: "a young, smiling man", "a woman in red".
_MODIFIERS = (_COLORS - {"orange"}) | _words(
    """and young old older elderly middle-aged large small big little tall short long bright colorful vibrant
    blonde black-and-white bald male female formal casual traditional outdoor indoor urban clear serious
    shirtless barefoot modern vintage digital professional"""
)
# A phrase that ends in one of these is the image itself, a part of it, a heap of things, or no object at all.
_NOT_OBJECTS = _words(
    """image images picture pictures photo photos photograph photographs photography snapshot screenshot
    screenshots portrait still shot view views close-up closeup collage composite series set group groups pair
    couple number numbers variety collection bunch row rows list lot part parts piece pieces selection mix
    combination array kind type side sides front center centre middle bottom left right edge end foreground
    background backdrop corner scene scenes setting settings environment area moment time times day night
    afternoon event progress action motion movement position pose poses context conversation expression
    expressions attention focus way word words text texts title name names caption headline quote message
    letters color colors colour colours hue hues tone tones shades style styles theme design detail details
    information content example conditions atmosphere mood appearance presence depiction representation
    illustration graphic graphics visual visuals perspective angle distance direction point subject subjects
    topic purpose activity activities interaction discussion use reference sense display show feature form case
    effect effects element elements aspect aspects pattern patterns"""
)
#: Words that carry no content of their own.
FUNCTION_WORDS = _ARTICLES | _DETERMINERS | _LINKS | _FUNCTION_WORDS

_LONGEST = 5  # words of a name: past that it is text that the lists cannot cut, and the head comes last

_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|(?<!\w)'[^']*'(?!\w)|(?<!\w)‘[^’]*’(?!\w)")
_CONTRACTED = re.compile(r"\b(it|he|she|that|there|who|what)['’]s\b")
_IDIOMS = re.compile(
    r"\b(?:there (?:is|are|was|were)|(?:at|towards?|facing|for) the (?:camera|viewer)|upside down|side by side"
    r"|(?:on|at the|the) top|body of(?= water))\b"
)
_TOKENS = re.compile(r"['’]s\b|\w+(?:[-'’](?!s\b)\w+)*|[^\w\s]")


def object_names(description: str | None, k: int = 3) -> list[str]:
    """Extracts the names of objects from the description of an image.

    Noun phrases without determiners and numerals, found by lists of function words and of the verbs of captions: there
    is no part-of-speech tagger. Quoted text is left out, and so are phrases that mean the image ("close-up", "group
    of", "background"). English only: other text gives what is between its punctuation. A detector's label comes back
    as it is, in lower case.

    Args:
        description (`str` or `None`): Free text or a label; `None` and text without words give no names.
        k (`int`): Most names.

    Returns:
        `list[str]`: lower-case names, distinct, in order of appearance.

    Raises:
        ValueError: `k` is negative.
    """
    if k < 0:
        raise ValueError(f"k is {k}; it is the most object names, 0 or more.")
    names: dict[str, None] = {}
    for phrase in _phrases(_tokens(description or "")):
        if phrase[-1] not in _NOT_OBJECTS and not _MODIFIERS.issuperset(phrase):
            names[" ".join(phrase[-_LONGEST:]).removeprefix("and ")] = None
    return list(names)[:k]


def _tokens(text: str) -> list[str]:
    """Splits a text into lower-case words and punctuation marks, without quoted text; "'s" is a mark of its own."""
    text = _CONTRACTED.sub(r"\1 is", _QUOTED.sub(" , ", text.lower()))
    return _TOKENS.findall(_IDIOMS.sub(" , ", text))


def _phrases(tokens: list[str]) -> list[list[str]]:
    """Finds the noun phrases in `tokens`, as word lists."""
    phrases: list[list[str]] = []
    phrase: list[str] = []
    before = "the"  # a label opens like a noun phrase
    tokens = [*tokens, "."]
    for token, following in zip(tokens, [*tokens[1:], "."], strict=True):
        joins_colors = token == "and" and phrase and phrase[-1] in _COLORS and following in _COLORS
        if joins_colors or not _ends_phrase(token, after_article=not phrase and before in _ARTICLES):
            phrase.append(token)
            continue
        named = _without_participles(phrase)
        if named and before not in _LINKS:
            phrases.append(named)
        if phrase or not token.endswith("ly"):  # "a brightly lit stage": the adverb hides no article
            before = "one" if token.isdecimal() else token
        phrase = []
    return phrases


def _ends_phrase(token: str, after_article: bool) -> bool:
    """Returns whether `token` ends a noun phrase; after an article a verb is an adjective."""
    if not token[0].isalnum() or token.isdecimal():
        return True
    if token in _ARTICLES or token in _DETERMINERS or token in _LINKS or token in _FUNCTION_WORDS:
        return True
    if token.endswith("ly"):
        return token not in _LY_WORDS
    return not after_article and (token in _VERBS or _is_gerund(token))


def _is_gerund(token: str) -> bool:
    return token.endswith("ing") and token not in _ING_NOUNS


def _without_participles(phrase: list[str]) -> list[str]:
    """Removes the participles at the end of a phrase ("man dressed"); a lone gerund ("a gathering") is no name."""
    while phrase and len(phrase[-1]) > 4 and phrase[-1].endswith("ed") and not phrase[-1].endswith("eed"):
        phrase = phrase[:-1]
    return [] if len(phrase) == 1 and _is_gerund(phrase[0]) else phrase
