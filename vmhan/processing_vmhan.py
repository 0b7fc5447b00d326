"""Sentences, mentions, images and pairs to the batch that the model takes.

Sentences come as text and mentions as [start, end) characters. Markers are put in after tokenizing, so that no mention
is ever lost to the tokenizer or to a marker that the sentence itself spells out.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import BatchFeature, ProcessorMixin

from .node_selection import NodeSelection, Span
from .pair_inputs import beside_tails, find_object_tails, flat_selections, kept_objects, text_phrase_tensors
from .text_encoder import MARKERS, MARKERS_LIKE, add_markers, load_text_tokenizer
from .vision_encoder import load_image_processor
from .visual_inputs import encode_visuals, visual_key


class VMHANProcessor(ProcessorMixin):
    """Makes batches for VM-HAN.

    Args:
        tokenizer: A fast tokenizer. Entity markers are added to it where it lacks them.
        image_processor: Makes the pixels of the vision encoder. Without one the processor takes no pictures.
        entity_markers: As in `VMHANConfig`; the model needs the same.
        max_length: Most wordpieces of a sentence, markers and special tokens included.
        max_phrase_length: Most wordpieces of a description or a name; longer ones are cut.
        max_objects: Objects kept of an image; without selections the paper's k.
        node_selection: How the model's nodes were selected in training, kept for whoever uses it: `"selector"`
            ("words", or "llm"), `"num_text_phrases"`, `"num_visual_phrases"` and `"num_objects"`. None: not at all.
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
        else:  # the base class would take None for a part and save it
            self.get_attributes = _tokenizer_alone
            super().__init__(tokenizer, **kwargs)
            self.image_processor = None

    @classmethod
    def from_text_pretrained(cls, name_or_path: str, max_length: int = 512, **settings) -> "VMHANProcessor":
        """A processor around the tokenizer of a pretrained text encoder (Hub id or folder), whose limit it keeps."""
        tokenizer = load_text_tokenizer(name_or_path)
        return cls(tokenizer, max_length=min(max_length, tokenizer.model_max_length), **settings)

    @classmethod
    def from_text_vision_pretrained(cls, text: str, vision: str, **settings) -> "VMHANProcessor":
        """As `from_text_pretrained`, with what makes the pixels of the vision encoder `vision`."""
        return cls.from_text_pretrained(text, image_processor=load_image_processor(vision), **settings)

    @classmethod
    def _get_arguments_from_pretrained(cls, pretrained_model_name_or_path, processor_dict=None, **kwargs):
        if not (processor_dict or {}).keys() - {"chat_template"}:
            raise OSError(
                f"{pretrained_model_name_or_path} holds no processor_config.json, so nothing says with which "
                "entity_markers, max_length and max_objects its model was trained; save the processor beside it with "
                "processor.save_pretrained, or, for a new model, use VMHANProcessor.from_text_pretrained."
            )
        if processor_dict.get("image_processor") is not None:
            return super()._get_arguments_from_pretrained(pretrained_model_name_or_path, processor_dict, **kwargs)
        return [cls._load_tokenizer_from_pretrained("tokenizer", pretrained_model_name_or_path, **kwargs), None]

    def to_dict(self) -> dict:
        """What is saved; nothing about an image processor that is not there."""
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
            mentions: Of each sentence, its mentions as [start, end) characters. An integer stands for an entity that
                is an object of the image: an index into its `"objects"`.
            pairs: Of each sentence, its pairs as (head, tail) indices into its mentions. The head is in the text.
            images: Of each sentence, None or what is known of its image: `"description"` (str or None),
                `"objects"`, a list of `{"label": str or None, "box": (cx, cy, w, h) in 0..1 or None}`, and either
                `"image"`, a PIL image, out of which, upright, objects with a box are cut, or `"visual_states"`, what a
                vision encoder made of the picture and each object, (1 + objects, visual). Equal ones are encoded once.
            labels: Of each pair, its relation id, or a probability for each relation.
            direction_given: Of each pair, whether head and tail are known to stand as annotators give them.
            selections: Of each pair, the phrases and objects that a `NodeSelector` chose, or None. Without them a
                pair has no phrases and the first `max_objects` of its image, its tail not counted.

        Raises:
            ValueError: A mention or phrase without a wordpiece, a sentence longer than `max_length`, a selected object
                or a tail that the image has not, a head that is an object, a picture without an image processor, or
                `"visual_states"` of another number of objects.
        """
        selected = flat_selections(selections, pairs)
        tails = find_object_tails(mentions, pairs, images)
        batch = self._encode_sentences(text, mentions, pairs, iter(selected))
        if images is not None and any(images):
            counts = [len(of_sentence) for of_sentence in pairs]
            whole = [any(tail >= 0 for tail in of_sentence) for of_sentence in tails]
            batch.update(self._encode_images(images, counts, whole))
            if any(whole):
                flat = [tail for of_sentence in tails for tail in of_sentence]
                batch["tail_object"] = torch.tensor(flat)
                objects = batch["object_mask"].sum(dim=1)[batch["pair_image"]]
                objects = objects.masked_fill(batch["pair_image"] < 0, 0).tolist()
                selected = beside_tails(selected, flat, objects, self.max_objects)
            batch.update(self._encode_visual_selections(selected, batch))
        for name, values in (("labels", labels), ("direction_given", direction_given)):
            if values is not None:
                batch[name] = torch.tensor([value for of_sentence in values for value in of_sentence])
        return BatchFeature(batch)

    def check_sentence(self, text: str, mentions: Sequence[Span | int], pairs: Sequence[tuple[int, int]]) -> None:
        """Refuses a sentence that the model cannot read, before it joins a batch of others.

        Raises:
            ValueError: A mention without a wordpiece, two different mentions with the same wordpieces, or a sentence
                longer than `max_length`.
        """
        [(ids, offsets)] = self._tokenize([text])
        pieces = _find_mentions(offsets, mentions, text)
        _refuse_equal_pieces(pieces, mentions, text)
        self._check_length(ids, pieces, pairs, text)

    def _tokenize(self, text: Sequence[str]) -> list[tuple[list[int], list[Span | None]]]:
        """Of each sentence the wordpieces and their [start, end) characters, None for special tokens."""
        # a sentence may spell out "[SEP]" or a marker: these are its words then, not ours
        encoded = self.tokenizer(
            list(text),
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
            split_special_tokens=True,
            verbose=False,
        )
        columns = (encoded[name] for name in ("input_ids", "offset_mapping", "special_tokens_mask"))
        return [
            (ids, [None if special else offset for offset, special in zip(offsets, specials, strict=True)])
            for ids, offsets, specials in zip(*columns, strict=True)
        ]

    def _encode_sentences(self, text, mentions, pairs, selected: Iterator[NodeSelection]) -> dict[str, torch.Tensor]:
        rows, pair_sentence, spans, phrases = [], [], [], []
        tokenized = self._tokenize(text)
        for index, of_sentence in enumerate(pairs):
            ids, offsets = tokenized[index]
            pieces = _find_mentions(offsets, mentions[index], text[index])
            self._check_length(ids, pieces, of_sentence, text[index])
            for marked, places, pair_spans in self._mark(ids, pieces, of_sentence):
                for selection in islice(selected, len(pair_spans)):
                    found = (find_wordpieces(offsets, span, text[index]) for span in selection.text_phrases)
                    phrases.append([(places[start], places[end - 1] + 1) for start, end in found])
                pair_sentence += [len(rows)] * len(pair_spans)
                rows.append(torch.tensor(marked))
                spans += pair_spans
        spans = torch.tensor(spans, dtype=torch.long).view(-1, 2, 2)
        return {
            "input_ids": pad_sequence(rows, batch_first=True, padding_value=self.tokenizer.pad_token_id or 0),
            "attention_mask": pad_sequence([torch.ones_like(row) for row in rows], batch_first=True),
            "pair_sentence": torch.tensor(pair_sentence, dtype=torch.long),
            "head_span": spans[:, 0],
            "tail_span": spans[:, 1],
            **text_phrase_tensors(phrases),
        }

    def _mark(
        self, ids: list[int], pieces: list[Span | None], pairs
    ) -> list[tuple[list[int], list[int], list[tuple[Span, Span]]]]:
        """The encodings that the pairs of a sentence need.

        Each comes with the places that the unmarked wordpieces have in it and the (head, tail) spans of its pairs. A
        tail that is an object has no wordpieces, and the span of its head.
        """
        tokens = self.tokenizer.convert_tokens_to_ids(list(MARKERS[self.entity_markers]))
        if self.entity_markers == "pair":
            encodings = []
            for head, tail in pairs:
                inside = [pieces[head], *([pieces[tail]] if pieces[tail] else [])]
                marked, spans, places = insert_markers(ids, inside, [tokens[:2], tokens[2:]])
                encodings.append((marked, places, [(spans[0], spans[-1])]))
            return encodings
        places = list(range(len(ids)))
        if self.entity_markers == "shared":
            distinct = sorted({piece for piece in pieces if piece})
            ids, marked, places = insert_markers(ids, distinct, [tokens] * len(distinct))
            pieces = [marked[distinct.index(piece)] if piece else None for piece in pieces]
        return [(ids, places, [(pieces[head], pieces[tail] or pieces[head]) for head, tail in pairs])]

    def _check_length(self, ids: list[int], pieces: list[Span | None], pairs, text: str):
        mentions = {"none": 0, "shared": len(set(pieces) - {None})}
        if self.entity_markers == "pair":
            mentions["pair"] = max((1 + (pieces[tail] is not None) for _, tail in pairs), default=0)
        length = len(ids) + 2 * mentions[self.entity_markers]
        if length > self.max_length:
            raise ValueError(
                f"The text takes {length} wordpieces with its markers, the encoder at most {self.max_length}: "
                f'"{text[:60]}...". Split it, or keep the sentences around the entities.'
            )

    def _encode_images(self, images, pair_counts: list[int], whole: list[bool]) -> dict[str, torch.Tensor]:
        """`whole`: whether all objects of an image are kept, for one of them is a tail."""
        rows: dict[tuple, int] = {}
        pair_image, first = [], []
        for image, count, of_image in zip(images, pair_counts, whole, strict=True):
            key = None if image is None else (*self._image_key(image, of_image), visual_key(image))
            row = -1 if key is None else rows.setdefault(key, len(rows))
            pair_image += [row] * count
            if row == len(first):
                first.append(image)
        distinct = [(description, of_image) for description, of_image, _ in rows]
        objects = max(len(of_image) for _, of_image in distinct)
        phrases = [
            [description, *(label for label, _ in of_image), *[None] * (objects - len(of_image))]
            for description, of_image in distinct
        ]
        boxes = [[box for _, box in of_image] + [None] * (objects - len(of_image)) for _, of_image in distinct]
        counts = torch.tensor([len(of_image) for _, of_image in distinct])
        ids, mask = self._encode_phrases(phrases)
        shape = (len(distinct), objects, 4)  # a list of no boxes does not say it
        return {
            "pair_image": torch.tensor(pair_image),
            "visual_text_ids": ids,
            "visual_text_mask": mask,
            "object_mask": torch.arange(objects) < counts[:, None],
            "object_boxes": torch.tensor([[box or (0.0,) * 4 for box in row] for row in boxes]).view(shape),
            "object_box_mask": torch.tensor([[box is not None for box in row] for row in boxes], dtype=torch.bool),
            **encode_visuals(first, boxes, self.image_processor),
        }

    def _encode_visual_selections(self, selected: list[NodeSelection], batch) -> dict[str, torch.Tensor]:
        tensors = {}
        if any(selection.objects is not None for selection in selected):
            tensors["pair_object_mask"] = kept_objects(selected, batch["pair_image"], batch["object_mask"])
        longest = max((len(selection.visual_phrases) for selection in selected), default=0)
        if longest:
            phrases = [list(selection.visual_phrases) for selection in selected]
            padded = [[*of_pair, *[None] * (longest - len(of_pair))] for of_pair in phrases]
            tensors["visual_phrase_ids"], tensors["visual_phrase_mask"] = self._encode_phrases(padded)
        return tensors

    def _image_key(self, image: dict, whole: bool) -> tuple:
        objects = (image.get("objects") or [])[: None if whole else self.max_objects]
        return image.get("description") or None, tuple(
            (item.get("label") or None, None if item.get("box") is None else tuple(map(float, item["box"])))
            for item in objects
        )

    def _encode_phrases(self, phrases: list[list[str | None]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Ids and mask of shape (rows, phrases, tokens); nothing is known of None."""
        flat = [phrase for row in phrases for phrase in row]
        known = [phrase for phrase in flat if phrase]
        encoded = iter(
            self.tokenizer(
                known, truncation=True, max_length=self.max_phrase_length, split_special_tokens=True, verbose=False
            )["input_ids"]
            if known
            else []
        )
        rows = [torch.tensor(next(encoded)) if phrase else torch.zeros(0, dtype=torch.long) for phrase in flat]
        shape = (
            (len(phrases), len(phrases[0]), -1)
            if any(len(row) for row in rows)
            else (len(phrases), len(phrases[0]), 0)
        )
        mask = pad_sequence([torch.ones_like(row) for row in rows], batch_first=True).view(shape)
        return pad_sequence(rows, batch_first=True, padding_value=self.tokenizer.pad_token_id or 0).view(shape), mask

    @property
    def markers(self) -> dict[str, str]:
        """The markers in use, each with the token whose embedding it starts from."""
        return {marker: MARKERS_LIKE[marker] for marker in MARKERS[self.entity_markers]}

    @property
    def model_input_names(self) -> list[str]:
        return ["input_ids", "attention_mask", "pair_sentence", "head_span", "tail_span"]


def _tokenizer_alone() -> list[str]:
    return ["tokenizer"]


def find_wordpieces(offsets: list[Span | None], span: Span, text: str) -> Span:
    """The wordpieces [start, end) that share a character with `span`; `offsets` are None at special tokens."""
    start, end = span
    inside = [i for i, offset in enumerate(offsets) if offset is not None and offset[0] < end and offset[1] > start]
    if not inside:
        raise ValueError(
            f"The encoder sees nothing of the entity or phrase {text[start:end]!r} at characters {start} to {end}; "
            "choose a span that holds letters, digits or signs."
        )
    return inside[0], inside[-1] + 1


def _find_mentions(offsets: list[Span | None], mentions: Sequence[Span | int], text: str) -> list[Span | None]:
    """The wordpieces of each mention; None for one that is an object of the image."""
    return [None if isinstance(mention, int) else find_wordpieces(offsets, mention, text) for mention in mentions]


def _refuse_equal_pieces(pieces: list[Span | None], mentions: Sequence[Span | int], text: str) -> None:
    first: dict[Span, Span] = {}
    for piece, mention in zip(pieces, mentions, strict=True):
        if piece is None:
            continue
        other = first.setdefault(piece, mention)
        if tuple(other) != tuple(mention):
            one, two = (f"{text[start:end][:40]!r} ({start} to {end})" for start, end in (other, mention))
            raise ValueError(
                f"The entities {one} and {two} are the same wordpieces to the encoder, which cannot tell them apart; "
                "keep one of them, or choose spans of whole words."
            )


def insert_markers(
    ids: list[int], spans: list[Span], markers: list[Sequence[int]]
) -> tuple[list[int], list[Span], list[int]]:
    """Puts an opening and a closing token around each span, which may nest or cross.

    Returns the longer ids, the moved spans, which leave their own markers out (the opening one stands right before),
    and the place of each of `ids` among the longer.
    """
    marked, starts, ends, places = [], {}, {}, []
    for place in range(len(ids) + 1):
        # of spans that end here the inner closes first, of those that start here the outer opens first
        for i in sorted((i for i, span in enumerate(spans) if span[1] == place), key=lambda i: -spans[i][0]):
            ends[i] = len(marked)
            marked.append(markers[i][1])
        for i in sorted((i for i, span in enumerate(spans) if span[0] == place), key=lambda i: -spans[i][1]):
            marked.append(markers[i][0])
            starts[i] = len(marked)
        places.append(len(marked))
        marked += ids[place : place + 1]
    return marked, [(starts[i], ends[i]) for i in range(len(spans))], places[: len(ids)]


__all__ = ["VMHANProcessor"]
