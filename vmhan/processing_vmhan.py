"""Sentences, mentions, images and pairs as the batch that the model takes.

Sentences come as text and mentions as [start, end) characters. Markers are inserted after tokenizing, so that no
mention is lost to the tokenizer or to a marker that the sentence itself spells out.
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import BatchFeature, ProcessorMixin

from .mention_labels import UNKNOWN, mention_labels_of
from .node_selection import NodeSelection, Span
from .pair_inputs import (
    EncodedSentence,
    EntityTargets,
    PairSpec,
    SentenceExample,
    Wordpieces,
    build_examples,
    check_objects,
    pad_nested,
    pair_object_mask,
    pair_tensors,
    select_beside_tails,
    text_phrase_tensors,
)
from .text_encoder import MARKERS, MARKERS_LIKE, MarkedWordpieces, add_markers, insert_markers, load_text_tokenizer
from .vision_encoder import load_image_processor
from .visual_inputs import object_tensors, unique_images, visual_tensors


class VMHANProcessor(ProcessorMixin):
    """Builds batches for VM-HAN.

    Args:
        tokenizer: A fast tokenizer. Entity markers are added to it where it lacks them.
        image_processor: Computes the pixels of the vision encoder. Without one the processor takes no pixels.
        entity_markers: As in `VMHANConfig`; the model needs the same.
        max_length: Most wordpieces of a sentence, markers and special tokens included.
        max_phrase_length: Most wordpieces of a description or a name; longer ones are cut.
        max_objects: Objects kept of an image; without selections the paper's k.
        node_selection: How the model's nodes were selected in training: `"selector"` ("words" or "llm"),
            `"num_text_phrases"`, `"num_visual_phrases"` and `"num_objects"`. None: not at all.
    """

    def __init__(
        self,
        tokenizer,
        image_processor=None,
        entity_markers="none",
        max_length=512,
        max_phrase_length=48,
        max_objects=3,
        node_selection=None,
        **kwargs,
    ):
        if entity_markers not in MARKERS:
            raise ValueError(f'entity_markers "{entity_markers}" is none of {list(MARKERS)}.')
        self.entity_markers = entity_markers
        self.max_length = max_length
        self.max_phrase_length = max_phrase_length
        self.max_objects = max_objects
        self.node_selection = node_selection
        add_markers(tokenizer, entity_markers)
        if image_processor is not None:
            super().__init__(tokenizer, image_processor, **kwargs)
        else:  # the base class would save None as a part
            self.get_attributes = _tokenizer_alone
            super().__init__(tokenizer, **kwargs)
            self.image_processor = None

    @classmethod
    def from_text_pretrained(cls, name_or_path: str, max_length: int = 512, **settings) -> "VMHANProcessor":
        """Builds a processor around the tokenizer of a pretrained text encoder, within its limit of tokens.

        Args:
            name_or_path: Hub id or folder of the text encoder.
            max_length, settings: Arguments of the class.
        """
        tokenizer = load_text_tokenizer(name_or_path)
        return cls(tokenizer, max_length=min(max_length, tokenizer.model_max_length), **settings)

    @classmethod
    def from_text_vision_pretrained(cls, text: str, vision: str, **settings) -> "VMHANProcessor":
        """Builds a processor as `from_text_pretrained` does, with the image processor of a vision encoder."""
        return cls.from_text_pretrained(text, image_processor=load_image_processor(vision), **settings)

    @classmethod
    def _get_arguments_from_pretrained(cls, pretrained_model_name_or_path, processor_dict=None, **kwargs):
        saved = processor_dict or {}
        if not saved.keys() - {"chat_template"}:
            raise OSError(
                f"{pretrained_model_name_or_path} holds no processor_config.json, so nothing says with which "
                "entity_markers, max_length and max_objects its model was trained; save the processor beside it with "
                "processor.save_pretrained, or, for a new model, use VMHANProcessor.from_text_pretrained."
            )
        if saved.get("image_processor") is not None:
            return super()._get_arguments_from_pretrained(pretrained_model_name_or_path, processor_dict, **kwargs)
        return [cls._load_tokenizer_from_pretrained("tokenizer", pretrained_model_name_or_path, **kwargs), None]

    def to_dict(self) -> dict:
        """Returns what is saved; nothing about an image processor that is not there."""
        return {name: value for name, value in super().to_dict().items() if value is not None}

    def __call__(
        self,
        text: Sequence[str],
        mentions: Sequence[Sequence[Span | int]],
        pairs: Sequence[Sequence[tuple[int, int]]],
        images: Sequence[dict | None] | None = None,
        labels: Sequence[Sequence[int | Sequence[float]]] | None = None,
        direction_given: Sequence[Sequence[bool]] | None = None,
        selections: Sequence[Sequence[NodeSelection | None]] | None = None,
    ) -> BatchFeature:
        """Builds the batch of `VMHANModel.forward`.

        Args:
            text: The sentences.
            mentions: The mentions of each sentence, [start, end) characters. An integer is an entity that is an
                object of the image: an index into its `"objects"`.
            pairs: The pairs of each sentence, (head, tail) indices into its mentions. The head is in the text.
            images: The image of each sentence, or None: `"description"` (str or None), `"objects"`, a list of
                `{"label": str or None, "box": (cx, cy, w, h) in 0..1 or None}`, and either `"image"`, a PIL image, out
                of which, upright, objects with a box are cut, or `"visual_states"`, the features that a vision encoder
                computed of the image and each object, (1 + objects, visual). Equal ones are encoded once.
            labels: The relation id of each pair, or a probability for each relation.
            direction_given: Of each pair, whether annotators give head and tail in this order.
            selections: The phrases and objects that a `NodeSelector` selected for each pair, or None. Without them a
                pair has no phrases and the first `max_objects` of its image, its tail not counted.

        Raises:
            ValueError: A mention or phrase without a wordpiece, a sentence longer than `max_length`, a selected object
                or a tail that the image has not, a head that is an object, an image without an image processor, or
                `"visual_states"` of another number of objects.
        """
        return self.encode(build_examples(text, mentions, pairs, images, labels, direction_given, selections))

    def encode(self, examples: Sequence[SentenceExample]) -> BatchFeature:
        """Builds the batch of `VMHANModel.forward`, as a call does, from examples."""
        check_objects(examples)
        batch = self._encode_sentences(examples)
        if any(example.image for example in examples):
            batch |= self._encode_images(examples)
            batch |= self._encode_visual_selections(examples, batch)
        pairs = [pair for example in examples for pair in example.pairs]
        batch |= pair_tensors(pairs) | self._mention_labels(examples, batch["input_ids"])
        if "mention_labels" in batch:
            batch.setdefault("labels", torch.empty(0, dtype=torch.long))  # there is a loss, though there are no pairs
        return BatchFeature(batch)

    def check_sentence(self, text: str, mentions: Sequence[Span | int], pairs: Sequence[tuple[int, int]]) -> None:
        """Checks that the model can read a sentence, before it joins a batch of others.

        Raises:
            ValueError: A mention without a wordpiece, two different mentions with the same wordpieces, or a sentence
                longer than `max_length`.
        """
        [wordpieces] = self._tokenize([text])
        spans = wordpieces.find_mentions(mentions, text)
        _check_distinct(spans, mentions, text)
        self._check_length(wordpieces, spans, SentenceExample(text, mentions, [PairSpec(*pair) for pair in pairs]))

    def _tokenize(self, text: Sequence[str]) -> list[Wordpieces]:
        """Tokenizes sentences. They may spell out "[SEP]" or a marker, which are words then."""
        encoded = self.tokenizer(
            list(text),
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
            split_special_tokens=True,
            verbose=False,
        )
        columns = (encoded[name] for name in ("input_ids", "offset_mapping", "special_tokens_mask"))
        return [
            Wordpieces(ids, [None if special else span for span, special in zip(offsets, specials, strict=True)])
            for ids, offsets, specials in zip(*columns, strict=True)
        ]

    def _encode_sentences(self, examples: Sequence[SentenceExample]) -> dict[str, torch.Tensor]:
        sentences: list[EncodedSentence] = []
        tokenized = self._tokenize([example.text for example in examples])
        for example, wordpieces in zip(examples, tokenized, strict=True):
            sentences += self._encode_sentence(example, wordpieces)
        rows = [torch.tensor(sentence.ids) for sentence in sentences]
        spans = [of_pair for sentence in sentences for of_pair in sentence.spans]
        spans = torch.tensor(spans, dtype=torch.long).view(-1, 2, 2)  # (pairs, head and tail, start and end)
        pair_sentence = [row for row, sentence in enumerate(sentences) for _ in sentence.spans]
        return {
            "input_ids": pad_sequence(rows, batch_first=True, padding_value=self.tokenizer.pad_token_id or 0),
            "attention_mask": pad_sequence([torch.ones_like(row) for row in rows], batch_first=True),
            "pair_sentence": torch.tensor(pair_sentence, dtype=torch.long),
            "head_span": spans[:, 0],
            "tail_span": spans[:, 1],
            **text_phrase_tensors([phrases for sentence in sentences for phrases in sentence.text_phrases]),
        }

    def _encode_sentence(self, example: SentenceExample, wordpieces: Wordpieces) -> list[EncodedSentence]:
        """Encodes a sentence once, or once for each pair where markers tell head from tail."""
        spans = wordpieces.find_mentions(example.mentions, example.text)
        self._check_length(wordpieces, spans, example)
        tokens = self.tokenizer.convert_tokens_to_ids(list(MARKERS[self.entity_markers]))
        if self.entity_markers == "pair" and example.pairs:
            return [_mark_pair(example, wordpieces, spans, pair, tokens) for pair in example.pairs]
        distinct = sorted({span for span in spans if span}) if self.entity_markers == "shared" else []
        marked = insert_markers(wordpieces.ids, distinct, [tokens] * len(distinct))
        if distinct:
            spans = [marked.spans[distinct.index(span)] if span else None for span in spans]
        of_pairs = [_pair_spans(spans, pair) for pair in example.pairs]
        return [EncodedSentence(marked.ids, of_pairs, _text_phrases(example, wordpieces, example.pairs, marked))]

    def _mention_labels(self, examples: Sequence[SentenceExample], input_ids: torch.Tensor) -> dict[str, torch.Tensor]:
        """Builds the labels for finding entities, (sentences, tokens), where something is known of any."""
        if all(example.entities is None for example in examples):
            return {}
        labels = torch.full_like(input_ids, UNKNOWN)
        row = 0
        for example in examples:
            if example.entities is not None:
                of_sentence = torch.tensor(_entity_labels(example, self._tokenize([example.text])[0]))
                labels[row, : len(of_sentence)] = of_sentence
            row += max(len(example.pairs), 1) if self.entity_markers == "pair" else 1
        return {"mention_labels": labels}

    def _check_length(self, wordpieces: Wordpieces, spans: list[Span | None], example: SentenceExample) -> None:
        marked = {"none": 0, "shared": len(set(spans) - {None})}  # how many mentions have markers
        if self.entity_markers == "pair":
            marked["pair"] = max((1 + (spans[pair.tail] is not None) for pair in example.pairs), default=0)
        length = len(wordpieces.ids) + 2 * marked[self.entity_markers]
        if length > self.max_length:
            raise ValueError(
                f"The text takes {length} wordpieces with its markers, the encoder at most {self.max_length}: "
                f'"{example.text[:60]}...". Split it, or keep the sentences around the entities.'
            )

    def _encode_images(self, examples: Sequence[SentenceExample]) -> dict[str, torch.Tensor]:
        """Encodes the distinct images of a batch, and the image of each pair."""
        images, rows = unique_images(examples, self.max_objects)
        ids, mask = self._encode_phrases(pad_nested([image.phrases for image in images], None))
        pair_image = [row for row, example in zip(rows, examples, strict=True) for _ in example.pairs]
        return {
            "pair_image": torch.tensor(pair_image),
            "visual_text_ids": ids,
            "visual_text_mask": mask,
            **object_tensors(images),
            **visual_tensors(images, self.image_processor),
        }

    def _encode_visual_selections(
        self, examples: Sequence[SentenceExample], batch: dict[str, torch.Tensor]
    ) -> dict[str, torch.Tensor]:
        """Encodes tails that are objects, and the objects and visual phrases selected for each pair."""
        tensors = {}
        if any(example.has_object_tails for example in examples):
            tails = [tail for example in examples for tail in example.tail_objects]
            tensors["tail_object"] = torch.tensor([-1 if tail is None else tail for tail in tails])
            examples = [select_beside_tails(example, self.max_objects) for example in examples]
        pairs = [pair for example in examples for pair in example.pairs]
        tensors |= pair_object_mask(pairs, batch["pair_image"], batch["object_mask"])
        phrases = [list(pair.selection.visual_phrases) for pair in pairs]
        if any(phrases):
            ids, mask = self._encode_phrases(pad_nested(phrases, None))
            tensors |= {"visual_phrase_ids": ids, "visual_phrase_mask": mask}
        return tensors

    def _encode_phrases(self, phrases: list[list[str | None]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Tokenizes phrases to ids and mask, (rows, phrases, tokens); None has no token."""
        known = [phrase for row in phrases for phrase in row if phrase]
        ids_of_phrase: dict[str | None, list[int]] = {}
        if known:
            cut = {"truncation": True, "max_length": self.max_phrase_length}
            encoded = self.tokenizer(known, **cut, split_special_tokens=True, verbose=False)
            ids_of_phrase |= zip(known, encoded["input_ids"], strict=True)
        rows = [
            torch.tensor(ids_of_phrase.get(phrase, []), dtype=torch.long) for of_row in phrases for phrase in of_row
        ]
        ids = pad_sequence(rows, batch_first=True, padding_value=self.tokenizer.pad_token_id or 0)
        mask = pad_sequence([torch.ones_like(row) for row in rows], batch_first=True)
        shape = (len(phrases), len(phrases[0]), ids.shape[1])
        return ids.view(shape), mask.view(shape)

    @property
    def markers(self) -> dict[str, str]:
        """Returns the markers in use, each with the token whose embedding it starts from."""
        return {marker: MARKERS_LIKE[marker] for marker in MARKERS[self.entity_markers]}

    @property
    def model_input_names(self) -> list[str]:
        """Returns the keys that every batch has."""
        return ["input_ids", "attention_mask", "pair_sentence", "head_span", "tail_span"]


def _tokenizer_alone() -> list[str]:
    return ["tokenizer"]


def _entity_labels(example: SentenceExample, wordpieces: Wordpieces) -> list[int]:
    """Builds the label of each wordpiece of a sentence without markers."""
    targets = cast(EntityTargets, example.entities)
    return mention_labels_of(
        wordpieces.offsets, targets.mentions, targets.kinds, example.text, targets.unknown, targets.unannotated
    )


def _pair_spans(spans: list[Span | None], pair: PairSpec) -> tuple[Span, Span]:
    """Returns the spans of a pair; a tail that is an object has no wordpieces, and takes the span of its head."""
    head = cast(Span, spans[pair.head])  # check_objects lets no object be a head
    return head, spans[pair.tail] or head


def _mark_pair(
    example: SentenceExample, wordpieces: Wordpieces, spans: list[Span | None], pair: PairSpec, tokens: list[int]
) -> EncodedSentence:
    """Encodes a sentence with the markers of head and tail, of which a tail that is an object has none."""
    head, tail = _pair_spans(spans, pair)
    inside = [head, tail] if spans[pair.tail] else [head]
    marked = insert_markers(wordpieces.ids, inside, [tokens[:2], tokens[2:]])
    phrases = _text_phrases(example, wordpieces, [pair], marked)
    return EncodedSentence(marked.ids, [(marked.spans[0], marked.spans[-1])], phrases)


def _text_phrases(
    example: SentenceExample, wordpieces: Wordpieces, pairs: list[PairSpec], marked: MarkedWordpieces
) -> list[list[Span]]:
    """Finds the wordpieces of the text phrases that are selected for each of the pairs."""
    return [
        [marked.move(wordpieces.find(span, example.text)) for span in pair.selection.text_phrases] for pair in pairs
    ]


def _check_distinct(spans: list[Span | None], mentions: Sequence[Span | int], text: str) -> None:
    first: dict[Span, Span] = {}
    for span, mention in zip(spans, mentions, strict=True):
        if span is None or isinstance(mention, int):
            continue
        other = first.setdefault(span, mention)
        if tuple(other) != tuple(mention):
            one, two = (f"{text[start:end][:40]!r} ({start} to {end})" for start, end in (other, mention))
            raise ValueError(
                f"The entities {one} and {two} are the same wordpieces to the encoder, which cannot tell them apart; "
                "keep one of them, or choose spans of whole words."
            )


__all__ = ["VMHANProcessor"]
