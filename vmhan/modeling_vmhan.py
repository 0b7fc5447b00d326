"""VM-HAN: encoders, the hypergraph of every pair, V-HAN and the relation classifier.

A sentence and an image are encoded once, however many pairs they hold; `pair_sentence` and `pair_image` point each
pair at its own. What a pair adds is its hypergraph: a handful of nodes and five hyperedges.
"""

from dataclasses import dataclass

import torch
from torch import nn
from transformers import AutoModel, AutoTokenizer, PreTrainedModel
from transformers.modeling_outputs import ModelOutput
from transformers.utils import logging
from transformers.utils.generic import can_return_tuple

from .configuration_vmhan import VMHANConfig
from .hypergraph import HEAD, IMAGE, NODE_TYPES, OBJECT, TAIL, TEXT_PHRASE, VISUAL_PHRASE, build_incidence
from .losses import kl_loss, reconstruction_loss, relation_loss
from .network import hub_settings
from .node_states import (
    EncodedInputs,
    NodeGroup,
    VisualNodes,
    box_features,
    pool_spans,
    replace_object_tails,
    split_by_length,
)
from .structure_encoders import STRUCTURE_ENCODERS
from .text_encoder import add_markers, load_text_encoder
from .vhan import Gaussian, GaussianNodes
from .vision_encoder import build_vision_model, encode_distinct, feature_width, load_image_processor, load_vision_model

logger = logging.get_logger(__name__)


@dataclass
class VMHANModelOutput(ModelOutput):
    """Nodes of every pair. `layers` counts the states before the first layer too; `nodes` are in `NODE_TYPES` order.

    Args:
        last_node_mean, last_node_variance: (pairs, nodes, hidden).
        node_features: Nodes before equation 4, (pairs, nodes, hidden).
        node_mask: True where a node is real, (pairs, nodes).
        node_types: Index into `NODE_TYPES`, (nodes,).
        incidence: (pairs, nodes, hyperedges), bool.
        node_means, node_variances: `layers` tensors of (pairs, nodes, hidden), with `output_hidden_states=True`.
        hyperedge_means, hyperedge_variances: `layers` tensors of (pairs, hyperedges, hidden), likewise.
        attentions: Equation 5, a tensor (pairs, heads, hyperedges, nodes) for each layer, with
            `output_attentions=True`. Over the nodes of a hyperedge they sum to one. With `config.update` "sync" the
            last one feeds nothing: to show what took part in the answer, take `read_attention`.
        node_attentions: Equation 7, the same shape. Over the hyperedges of a node they sum to one.
        read_attention: The share of each node in the hyperedges that the nodes read last, (pairs, heads, hyperedges,
            nodes), likewise; as in `StructureOutput`.
        node_flow: What each node drew from each in the last layer, (pairs, nodes, nodes), likewise.
    """

    last_node_mean: torch.FloatTensor | None = None
    last_node_variance: torch.FloatTensor | None = None
    node_features: torch.FloatTensor | None = None
    node_mask: torch.BoolTensor | None = None
    node_types: torch.LongTensor | None = None
    incidence: torch.BoolTensor | None = None
    node_means: tuple[torch.FloatTensor, ...] | None = None
    node_variances: tuple[torch.FloatTensor, ...] | None = None
    hyperedge_means: tuple[torch.FloatTensor, ...] | None = None
    hyperedge_variances: tuple[torch.FloatTensor, ...] | None = None
    attentions: tuple[torch.FloatTensor, ...] | None = None
    node_attentions: tuple[torch.FloatTensor, ...] | None = None
    read_attention: torch.FloatTensor | None = None
    node_flow: torch.FloatTensor | None = None


@dataclass
class VMHANRelationOutput(ModelOutput):
    """Relations of every pair.

    Args:
        loss: Equation 12, a scalar, with `labels`; its parts before their weights are the next three.
        logits: (pairs, labels).
        pair_variance: Mean variance of the final head and tail nodes, (pairs,). On MNRE it has not been found to tell
            right answers from wrong ones.
        node_mask, node_types, incidence, node_means, ...: As in `VMHANModelOutput`.
    """

    loss: torch.FloatTensor | None = None
    logits: torch.FloatTensor | None = None
    relation_loss: torch.FloatTensor | None = None
    reconstruction_loss: torch.FloatTensor | None = None
    kl_loss: torch.FloatTensor | None = None
    pair_variance: torch.FloatTensor | None = None
    node_mask: torch.BoolTensor | None = None
    node_types: torch.LongTensor | None = None
    incidence: torch.BoolTensor | None = None
    node_means: tuple[torch.FloatTensor, ...] | None = None
    node_variances: tuple[torch.FloatTensor, ...] | None = None
    hyperedge_means: tuple[torch.FloatTensor, ...] | None = None
    hyperedge_variances: tuple[torch.FloatTensor, ...] | None = None
    attentions: tuple[torch.FloatTensor, ...] | None = None
    node_attentions: tuple[torch.FloatTensor, ...] | None = None
    read_attention: torch.FloatTensor | None = None
    node_flow: torch.FloatTensor | None = None


class VMHANPreTrainedModel(PreTrainedModel):
    """What the models share: the config, and how the parts that are not stock modules start."""

    config_class = VMHANConfig
    base_model_prefix = "vmhan"
    main_input_name = "input_ids"
    input_modalities = ("image", "text")
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _supports_flash_attn = True
    # these join what several weights make, which has to happen on one device
    _no_split_modules = ["VisualNodes", "GaussianNodes", "VHAN", "GraphEncoder"]
    # the reconstruction and divergence parts have no item count to divide by, so Trainer averages the steps itself
    accepts_loss_kwargs = False


class VMHANModel(VMHANPreTrainedModel):
    """Sentences, images and pairs to Gaussian nodes.

    Args:
        config: The settings.
        text_model: A built text encoder, which keeps its weights; by default one is made from `config.text_config`.
        vision_model: Likewise for `config.vision_config`, of which there may be none.
    """

    def __init__(
        self,
        config: VMHANConfig,
        text_model: PreTrainedModel | None = None,
        vision_model: PreTrainedModel | None = None,
    ):
        super().__init__(config)
        self.text_model = text_model if text_model is not None else AutoModel.from_config(config.text_config)
        if getattr(self.text_model, "pooler", None) is not None:
            self.text_model.pooler = None  # nothing reads it, so it would be parameters without a gradient
        config.text_config = self.text_model.config  # one object, so that resized embeddings reach the saved config
        text_size = config.text_config.hidden_size
        same_size = text_size == config.hidden_size
        self.text_projection = nn.Identity() if same_size else nn.Linear(text_size, config.hidden_size)
        if vision_model is None and config.vision_config is not None:
            vision_model = build_vision_model(config.vision_config)
        self.vision_model = vision_model
        if vision_model is not None:
            config.vision_config = vision_model.config
            config.vision_config.architectures = [type(vision_model).__name__]  # a model or a backbone
        self.visual_nodes = VisualNodes(config)
        self.node_type_embedding = (
            nn.Embedding(len(NODE_TYPES), config.hidden_size) if config.node_type_embedding else None
        )
        self.order_embedding = nn.Embedding(2, config.hidden_size) if config.order_embedding else None
        self.gaussian_nodes = GaussianNodes(config)
        self.structure_encoder = STRUCTURE_ENCODERS[config.structure_encoder](config)
        self.post_init()
        self.train(self.training)

    def train(self, mode: bool = True) -> "VMHANModel":
        """As for every module, but a frozen vision encoder stays as in evaluation, dropout and statistics included.

        It is frozen here, not in the constructor: loading a checkpoint gives every parameter its gradient back, and
        then calls this.
        """
        super().train(mode)
        if self.vision_model is not None and not self.config.tune_vision:
            self.vision_model.eval().requires_grad_(False)
        return self

    def get_input_embeddings(self) -> nn.Module:
        return self.text_model.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module):
        self.text_model.set_input_embeddings(value)

    @can_return_tuple
    def forward(
        self,
        input_ids: torch.LongTensor | None = None,
        attention_mask: torch.Tensor | None = None,
        pair_sentence: torch.LongTensor | None = None,
        head_span: torch.LongTensor | None = None,
        tail_span: torch.LongTensor | None = None,
        encoded: EncodedInputs | None = None,
        output_hidden_states: bool = False,
        output_attentions: bool = False,
        **visual_inputs,
    ) -> VMHANModelOutput:
        """Encodes each sentence and image once and builds the hypergraph of every pair.

        Args:
            input_ids, attention_mask, pair_sentence, head_span, tail_span, visual_inputs: As `encode` takes them.
            encoded: In place of all these, what `encode` made of them, or some of its pairs.
            output_hidden_states, output_attentions: Whether to return the states and attentions of every layer.

        Raises:
            ValueError: As `encode` does.
        """
        if encoded is None:
            if input_ids is None:
                raise ValueError("The model is given no input_ids; call it as model(**processor(...)).")
            encoded = self.encode(input_ids, attention_mask, pair_sentence, head_span, tail_span, **visual_inputs)
        nodes = self._build_nodes(encoded)

        features = nodes.states
        if self.node_type_embedding is not None:
            features = features + self.node_type_embedding(nodes.types)
        incidence = build_incidence(nodes.types, nodes.mask, self.config.hyperedges)
        structure = self.structure_encoder(self.gaussian_nodes(features), incidence)
        states = output_hidden_states
        return VMHANModelOutput(
            last_node_mean=structure.nodes[-1].mean,
            last_node_variance=structure.nodes[-1].variance,
            node_features=features,
            node_mask=nodes.mask,
            node_types=nodes.types,
            incidence=incidence,
            node_means=tuple(layer.mean for layer in structure.nodes) if states else None,
            node_variances=tuple(layer.variance for layer in structure.nodes) if states else None,
            hyperedge_means=tuple(layer.mean for layer in structure.hyperedges) if states else None,
            hyperedge_variances=tuple(layer.variance for layer in structure.hyperedges) if states else None,
            attentions=structure.attentions if output_attentions else None,
            node_attentions=structure.node_attentions if output_attentions else None,
            read_attention=structure.read_attention if output_attentions else None,
            node_flow=structure.node_flow if output_attentions else None,
        )

    def encode(
        self,
        input_ids: torch.LongTensor,
        attention_mask: torch.Tensor,
        pair_sentence: torch.LongTensor,
        head_span: torch.LongTensor,
        tail_span: torch.LongTensor,
        *,
        pair_image: torch.LongTensor | None = None,
        pixel_values: torch.FloatTensor | None = None,
        visual_states: torch.FloatTensor | None = None,
        visual_state_mask: torch.BoolTensor | None = None,
        visual_text_ids: torch.LongTensor | None = None,
        visual_text_mask: torch.Tensor | None = None,
        object_boxes: torch.FloatTensor | None = None,
        object_box_mask: torch.BoolTensor | None = None,
        object_mask: torch.BoolTensor | None = None,
        pair_object_mask: torch.BoolTensor | None = None,
        tail_object: torch.LongTensor | None = None,
        text_phrase_spans: torch.LongTensor | None = None,
        text_phrase_mask: torch.BoolTensor | None = None,
        visual_phrase_ids: torch.LongTensor | None = None,
        visual_phrase_mask: torch.Tensor | None = None,
        sentences_at_once: int | None = None,
    ) -> EncodedInputs:
        """Runs the encoders: all of `forward` that does not depend on the hypergraph of a pair.

        What it returns can go through `forward` in chunks of pairs, so that many of them need little memory.

        Args:
            input_ids, attention_mask: (sentences, tokens).
            pair_sentence: Row of each pair's sentence, (pairs,).
            head_span, tail_span: Wordpieces [start, end) of the mentions, (pairs, 2).
            pair_image: Row of each pair's image, -1 for none, (pairs,). Without it no pair has an image.
            pixel_values: Image and crops, (images, 1 + objects, 3, height, width); row 0 is the whole image. The
                vision encoder turns them into `visual_states`.
            visual_states: In place of pixels, features of image and crops, (images, 1 + objects, visual).
            visual_state_mask: Where pixels or states are known, (images, 1 + objects); by default wherever there is a
                node.
            visual_text_ids, visual_text_mask: Description of the image and names of its objects,
                (images, 1 + objects, phrase tokens). A row without tokens is not known.
            object_boxes: (cx, cy, w, h) in 0..1, (images, objects, 4).
            object_box_mask: Where they are known, (images, objects); by default wherever there is an object.
            object_mask: Which objects exist, (images, objects); by default all.
            pair_object_mask: The objects selected for a pair, (pairs, objects); by default all of its image.
            tail_object: The object of the pair's image that is its tail, (pairs,); -1, the default, where the tail is
                text. Such an object is the tail's node and no other, and `tail_span` is not read.
            text_phrase_spans, text_phrase_mask: Further nodes from the sentence, (pairs, m, 2) and (pairs, m).
            visual_phrase_ids, visual_phrase_mask: Further nodes about the image, (pairs, n, phrase tokens).
            sentences_at_once: How many sentences go through the text encoder together; by default all. With a pair of
                entity markers every pair has a sentence of its own.

        Raises:
            ValueError: Nothing is known of an object that is a tail, there are no means to look at pixels, or a
                wordpiece has no embedding.
        """
        spans = torch.stack([head_span, tail_span], dim=1)
        mentions, text_phrases = self._encode_sentences(
            input_ids, attention_mask, pair_sentence, spans, text_phrase_spans, text_phrase_mask, sentences_at_once
        )
        visual, visual_phrases = None, None
        if pair_image is not None:
            if self.training:
                pair_image, visual_text_mask = self._hide_images(pair_image, visual_text_mask, tail_object)
            if pixel_values is not None and "pixels" in self.config.visual_features:
                if visual_states is not None:
                    raise ValueError("Give pixel_values or visual_states, which are made of them, not both.")
                visual_state_mask = self._visible_mask(pixel_values, visual_state_mask, object_mask, pair_image)
                visual_states = self.encode_images(pixel_values, visual_state_mask)
            known = self._collect_visual_features(
                visual_states, visual_state_mask, visual_text_ids, visual_text_mask, object_boxes, object_box_mask
            )
            if known:
                visual = self._image_and_objects(known, object_mask)
            if visual_phrase_ids is not None and self.config.visual_features:
                visual_phrases = self._visual_phrases(visual_phrase_ids, visual_phrase_mask, pair_image)
        if visual is None and tail_object is not None and (tail_object >= 0).any():
            raise ValueError(
                "An object is the tail of a pair, but the model is given none of what it knows objects by, "
                f"{self.config.visual_features}."
            )
        return EncodedInputs(mentions, text_phrases, visual, visual_phrases, pair_image, pair_object_mask, tail_object)

    def _build_nodes(self, encoded: EncodedInputs) -> NodeGroup:
        """The nodes of each pair, in `NODE_TYPES` order."""
        mentions, visual = encoded.mentions, encoded.visual_of_pairs()
        if visual is not None:
            if encoded.tail_object is not None:
                mentions, visual = replace_object_tails(mentions, visual, encoded.tail_object)
            if encoded.pair_object_mask is not None:
                selected = nn.functional.pad(encoded.pair_object_mask.bool(), (1, 0), value=True)
                visual = visual._replace(mask=visual.mask & selected)
        groups = (mentions, encoded.text_phrases, visual, encoded.visual_phrases)
        return NodeGroup.join([group for group in groups if group is not None])

    def encode_images(self, pixel_values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Features of images and crops, each distinct one encoded once.

        Args:
            pixel_values: (images, 1 + objects, 3, height, width).
            mask: Which of them exist, (images, 1 + objects); the others are not encoded.

        Returns:
            (images, 1 + objects, visual), zero where nothing exists.
        """
        if self.vision_model is None:
            raise ValueError(
                "This model has no vision encoder for pixel_values; give visual_states, or build it with "
                "from_text_vision_pretrained."
            )
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.config.tune_vision):
            return encode_distinct(self.vision_model, pixel_values, mask.bool(), self.config.visual_hidden_size)

    def _visible_mask(self, pixel_values, mask, object_mask, pair_image) -> torch.Tensor:
        """Images and crops that exist and that some pair looks at, (images, 1 + objects)."""
        wanted = torch.zeros(len(pixel_values), 1, dtype=torch.bool, device=pixel_values.device)
        wanted[pair_image[pair_image >= 0]] = True
        if mask is None and object_mask is not None:
            mask = nn.functional.pad(object_mask.bool(), (1, 0), value=True)
        return wanted.expand(pixel_values.shape[:2]) if mask is None else wanted & mask.bool()

    def _encode(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        try:
            inputs = {"input_ids": input_ids}
            if self.training and self.config.word_dropout:
                kept = torch.rand(input_ids.shape, device=input_ids.device) >= self.config.word_dropout
                inputs = {"inputs_embeds": self.get_input_embeddings()(input_ids) * kept[..., None]}
            return self.text_model(**inputs, attention_mask=attention_mask).last_hidden_state
        except IndexError as error:  # only then is it worth a look at the ids, which on an accelerator takes time
            rows, largest = self.get_input_embeddings().num_embeddings, int(input_ids.max())
            if largest < rows:
                raise
            raise ValueError(
                f"input_ids hold the wordpiece {largest}, but the text encoder has {rows} embeddings: the processor's "
                "tokenizer has tokens, such as entity markers, that the model does not know. Build both with the same "
                "entity_markers, or call model.add_tokens(processor.tokenizer, processor.markers)."
            ) from error

    def _encode_sentences(
        self, input_ids, attention_mask, pair_sentence, spans, phrase_spans, phrase_mask, at_once: int | None
    ) -> tuple[NodeGroup, NodeGroup | None]:
        """Head and tail of each pair, and its text phrases if it has any, out of sentences that are encoded once."""
        count = len(input_ids)
        mentions, phrases, rows = [], [], []
        for start in range(0, count, at_once or max(count, 1)):
            end = start + (at_once or count)
            here = slice(None) if end - start >= count else _within(pair_sentence, start, end)
            states, sentence = (
                self._encode(input_ids[start:end], attention_mask[start:end]),
                pair_sentence[here] - start,
            )
            mentions.append(self._mentions(states, sentence, spans[here]))
            if phrase_spans is not None:
                phrases.append(self._text_phrases(states, sentence, phrase_spans[here], phrase_mask[here]))
            rows.append(here)
        return _in_order(mentions, rows), _in_order(phrases, rows)

    def _mentions(self, sentence_states, pair_sentence, spans) -> NodeGroup:
        states = self.text_projection(pool_spans(sentence_states, pair_sentence, spans, self.config.entity_pool))
        if self.order_embedding is not None:
            starts = spans[..., 0]
            states = states + self.order_embedding((starts > starts.flip(1)).long())
        return NodeGroup(states, states.new_ones(states.shape[:2], dtype=torch.bool), spans.new_tensor([HEAD, TAIL]))

    def _text_phrases(self, sentence_states, pair_sentence, spans, mask) -> NodeGroup:
        states = self.text_projection(pool_spans(sentence_states, pair_sentence, spans))
        return NodeGroup(states, mask.bool(), spans.new_full(spans.shape[1:2], TEXT_PHRASE))

    def _hide_images(
        self, pair_image: torch.Tensor, text_mask: torch.Tensor | None, tail_object: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Draws the images and descriptions that stay hidden; their words are masked before they are encoded.

        An image that holds a tail is not hidden.
        """
        images = len(text_mask) if text_mask is not None else max(int(pair_image.max()), 0) + 1
        hidden = torch.rand(images, device=pair_image.device) < self.config.image_dropout
        if tail_object is not None:
            hidden[pair_image[(tail_object >= 0) & (pair_image >= 0)]] = False
        undescribed = torch.rand(images, device=pair_image.device) < self.config.description_dropout
        if text_mask is not None:
            text_mask = text_mask.bool() & ~hidden[:, None, None]
            of_image = text_mask[:, :1] & ~undescribed[:, None, None]
            text_mask = torch.cat([of_image, text_mask[:, 1:]], dim=1)
        return pair_image.masked_fill(hidden[pair_image.clamp(min=0)], -1), text_mask

    def _collect_visual_features(
        self, visual_states, visual_state_mask, visual_text_ids, visual_text_mask, object_boxes, object_box_mask
    ) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
        """Values and masks, by name, of the features that the config lists and the batch holds."""
        known = {}
        for name in self.config.visual_features:
            if name == "pixels" and visual_states is not None:
                everywhere = visual_states.new_ones(visual_states.shape[:2], dtype=torch.bool)
                known[name] = visual_states, everywhere if visual_state_mask is None else visual_state_mask.bool()
            elif name == "text" and visual_text_ids is not None:
                known[name] = self._encode_phrases(visual_text_ids, visual_text_mask)
            elif name == "box" and object_boxes is not None:
                everywhere = object_boxes.new_ones(object_boxes.shape[:2], dtype=torch.bool)
                known[name] = box_features(
                    object_boxes, everywhere if object_box_mask is None else object_box_mask.bool()
                )
        return known

    def _encode_phrases(self, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean states (rows, phrases, text) of phrases (rows, phrases, tokens), and which have one (rows, phrases).

        Each distinct phrase is encoded once: "man" stands in many pictures.
        """
        exists = mask.bool().any(dim=-1)
        states = torch.zeros(*exists.shape, self.config.text_config.hidden_size, device=ids.device, dtype=self.dtype)
        if not exists.any():
            return states, exists
        phrases = torch.stack([ids[exists], mask[exists].to(ids.dtype)], dim=1)  # (phrases, 2, tokens)
        distinct, place = phrases.unique(dim=0, return_inverse=True)
        order = distinct[:, 1].sum(dim=-1).argsort(descending=True)
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.config.tune_visual_text):
            means = torch.cat([self._mean_states(*chunk.unbind(dim=1)) for chunk in split_by_length(distinct[order])])
        means = means[order.argsort()[place]]
        return states.to(means.dtype).masked_scatter(exists[..., None], means), exists

    def _mean_states(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Mean over the tokens of each phrase (phrases, tokens), (phrases, text)."""
        weights = mask.to(self.dtype)[:, None]
        return (weights @ self._encode(ids, mask).to(self.dtype)).squeeze(1) / weights.sum(dim=-1)

    def _image_and_objects(
        self, known: dict[str, tuple[torch.Tensor, torch.Tensor]], object_mask: torch.Tensor | None
    ) -> NodeGroup:
        """The nodes of each image, (images, 1 + objects, hidden)."""
        states, mask = self.visual_nodes(known)
        if object_mask is not None:
            mask = mask & nn.functional.pad(object_mask.bool(), (1, 0), value=True)
        types = torch.tensor([IMAGE] + [OBJECT] * (mask.shape[1] - 1), device=mask.device)
        return NodeGroup(states, mask, types)

    def _visual_phrases(self, ids: torch.Tensor, mask: torch.Tensor, pair_image: torch.Tensor) -> NodeGroup:
        states, exists = self._encode_phrases(ids, mask)
        told_in_words = "text" in self.config.visual_features  # else phrases are the only words about images
        project = self.visual_nodes.projections["text"] if told_in_words else self.text_projection
        mask = exists & (pair_image >= 0)[:, None]
        return NodeGroup(project(states), mask, ids.new_full(ids.shape[1:2], VISUAL_PHRASE))


def _within(values: torch.Tensor, start: int, end: int) -> torch.Tensor:
    """Indices of the values in [start, end)."""
    return ((values >= start) & (values < end)).nonzero().flatten()


def _in_order(groups: list[NodeGroup], rows: list) -> NodeGroup | None:
    """One group out of those of the given rows of pairs."""
    if len(groups) <= 1:
        return groups[0] if groups else None
    order = torch.cat(rows).argsort()
    states, masks = (torch.cat(parts)[order] for parts in list(zip(*groups, strict=True))[:2])
    return NodeGroup(states, masks, groups[0].types)


class VMHANForRelationExtraction(VMHANPreTrainedModel):
    """VM-HAN with the relation classifier of equation 9 and the loss of equation 12."""

    def __init__(
        self,
        config: VMHANConfig,
        text_model: PreTrainedModel | None = None,
        vision_model: PreTrainedModel | None = None,
    ):
        super().__init__(config)
        config.label2id = {name: index for index, name in config.id2label.items()}  # whoever gives one may forget it
        if config.no_relation_weight != 1:
            config.find_no_relation_id()  # or the first step of training would fail
        self.vmhan = VMHANModel(config, text_model, vision_model)
        parts = (4 if config.variational else 2) + (2 if config.pair_features == "interaction" else 0)
        self.dropout = nn.Dropout(config.classifier_dropout)
        self.classifier = nn.Linear(parts * config.hidden_size, config.num_labels)
        self.direction_classifier = (
            nn.Linear(parts * config.hidden_size, config.num_labels) if config.direction_classifier else None
        )
        self.post_init()

    @classmethod
    def from_text_pretrained(
        cls, name_or_path: str, vision_model: PreTrainedModel | None = None, **settings
    ) -> "VMHANForRelationExtraction":
        """A new model around a pretrained text encoder, all else freshly initialised.

        With `entity_markers` the encoder gets embeddings for them, as the processor of the same name and markers has
        tokens.

        Args:
            name_or_path: Hub id or folder of the text encoder.
            vision_model: A built vision encoder, which keeps its weights.
            settings: Fields of `VMHANConfig`; `hidden_size` is the encoder's unless given.

        Raises:
            OSError: The encoder is not there and cannot be fetched.
            ValueError: The name stands for something else, such as a finished VM-HAN.
        """
        text_model = load_text_encoder(name_or_path)
        text_model.config.name_or_path = ""  # a folder of this machine means nothing to who loads the model elsewhere
        settings = {"hidden_size": text_model.config.hidden_size, **settings}
        if vision_model is not None:
            settings["vision_config"] = vision_model.config.to_dict()
        config = VMHANConfig(text_config=text_model.config.to_dict(), **settings)
        model = cls(config, text_model=text_model, vision_model=vision_model)
        if config.entity_markers != "none":
            model._add_markers(name_or_path)
        return model

    def _add_markers(self, text_name_or_path: str) -> None:
        """Makes room for the entity markers that the tokenizer of the text encoder lacks."""
        try:
            tokenizer = AutoTokenizer.from_pretrained(text_name_or_path, **hub_settings(text_name_or_path))
        except (OSError, ValueError) as error:
            tokenizer, vocabulary, reason = None, {}, f" ({error})"
        else:
            vocabulary, reason = tokenizer.get_vocab(), ""
        markers = add_markers(tokenizer, self.config.entity_markers) if tokenizer else {}
        if tokenizer and vocabulary.keys() >= set(markers.values()):
            self.add_tokens(tokenizer, like=markers)
        else:  # transformers makes a tokenizer of five tokens up where a folder holds none
            logger.warning(
                f"{text_name_or_path} brings no tokenizer along{reason}; call model.add_tokens(processor.tokenizer, "
                f'processor.markers), so that the entity markers "{self.config.entity_markers}" have embeddings.'
            )

    @classmethod
    def from_text_vision_pretrained(cls, text: str, vision: str, **settings) -> "VMHANForRelationExtraction":
        """A new model around pretrained encoders of text and of images, such as ("bert-base-uncased", "vgg16").

        Args:
            text: Hub id or folder of the text encoder.
            vision: The vision encoder, as `load_vision_model` takes it. It is saved with the model.
            settings: Fields of `VMHANConfig`; `visual_hidden_size` is the vision encoder's.
        """
        vision_model = load_vision_model(vision)
        settings["visual_hidden_size"] = feature_width(vision_model, load_image_processor(vision))
        return cls.from_text_pretrained(text, vision_model=vision_model, **settings)

    def add_tokens(self, tokenizer, like: dict[str, str]) -> None:
        """Makes room for tokens that `tokenizer` has and the encoder has not.

        Args:
            like: For new tokens, old ones whose embedding they start from; a bracket is a better start for a marker
                than noise.
        """
        if len(tokenizer) > self.get_input_embeddings().num_embeddings:
            self.resize_token_embeddings(len(tokenizer), mean_resizing=False)
        embeddings = self.get_input_embeddings().weight.data
        for new, old in like.items():
            embeddings[tokenizer.convert_tokens_to_ids(new)] = embeddings[tokenizer.convert_tokens_to_ids(old)]

    @can_return_tuple
    def forward(
        self,
        input_ids: torch.LongTensor | None = None,
        attention_mask: torch.Tensor | None = None,
        pair_sentence: torch.LongTensor | None = None,
        head_span: torch.LongTensor | None = None,
        tail_span: torch.LongTensor | None = None,
        direction_given: torch.BoolTensor | None = None,
        labels: torch.Tensor | None = None,
        output_hidden_states: bool = False,
        output_attentions: bool = False,
        **visual_inputs,
    ) -> VMHANRelationOutput:
        """Scores every relation for every pair.

        Args:
            direction_given: Whether head and tail are known to stand as annotators give them, (pairs,); by default
                they may be the wrong way round. It matters with `config.direction_classifier` only.
            labels: Gold relations, (pairs,), or a probability for each relation, (pairs, labels), such as a teacher
                gives. With them the output holds the loss and its parts.
            visual_inputs: Those of `VMHANModel.encode`, or `encoded` in place of all others.
        """
        nodes = self.vmhan(
            input_ids,
            attention_mask,
            pair_sentence,
            head_span,
            tail_span,
            output_hidden_states=True,
            output_attentions=output_attentions,
            return_dict=True,
            **visual_inputs,
        )
        features = self.dropout(self._pair_features(nodes))
        logits = self.classifier(features)
        if self.direction_classifier is not None and direction_given is not None:
            logits = logits + self.direction_classifier(features) * direction_given[:, None]
        losses = self._losses(logits, labels, nodes, direction_given) if labels is not None else {}
        kept = nodes if output_hidden_states else {}
        return VMHANRelationOutput(
            **losses,
            logits=logits,
            pair_variance=nodes.last_node_variance[:, : TAIL + 1].mean(dim=(1, 2)),
            node_mask=nodes.node_mask,
            node_types=nodes.node_types,
            incidence=nodes.incidence,
            node_means=kept.get("node_means"),
            node_variances=kept.get("node_variances"),
            hyperedge_means=kept.get("hyperedge_means"),
            hyperedge_variances=kept.get("hyperedge_variances"),
            attentions=nodes.attentions,
            node_attentions=nodes.node_attentions,
            read_attention=nodes.read_attention,
            node_flow=nodes.node_flow,
        )

    def _pair_features(self, nodes: VMHANModelOutput) -> torch.Tensor:
        """Input of the classifier, (pairs, 4 or 6 times hidden)."""
        entities = Gaussian(nodes.last_node_mean[:, : TAIL + 1], nodes.last_node_variance[:, : TAIL + 1])
        if self.training and self.config.sample == "classifier":
            entities = entities.sample()
        head, tail = entities.mean.unbind(dim=1)
        head_variance, tail_variance = entities.variance.unbind(dim=1)
        parts = [head, head_variance, tail, tail_variance] if self.config.variational else [head, tail]
        if self.config.pair_features == "interaction":
            parts += [head * tail, head - tail]
        return torch.cat(parts, dim=-1)

    def _losses(
        self,
        logits: torch.Tensor,
        labels: torch.Tensor,
        nodes: VMHANModelOutput,
        direction_given: torch.Tensor | None = None,
    ) -> dict[str, torch.Tensor]:
        """Equation 12 as `loss`, and its parts before their weights."""
        config = self.config
        weight = self._pair_weights(labels, direction_given)
        parts = {
            "relation_loss": relation_loss(logits, labels, weight, config.label_smoothing),
            "reconstruction_loss": logits.new_zeros(()),
            "kl_loss": logits.new_zeros(()),
        }
        if config.variational:
            parts |= self._variational_losses(nodes)
        weights = (config.relation_weight, config.reconstruction_weight, config.kl_weight)
        return {"loss": sum(w * part for w, part in zip(weights, parts.values(), strict=True)), **parts}

    def _variational_losses(self, nodes: VMHANModelOutput) -> dict[str, torch.Tensor]:
        """Equations 10 and 11."""
        config = self.config
        layers = [Gaussian(*layer) for layer in zip(nodes.node_means, nodes.node_variances, strict=True)]
        target = layers[0]
        if config.reconstruction_target == "features":
            target = Gaussian(nodes.node_features, torch.ones_like(nodes.node_features))
        penalised = {"final": layers[-1:], "initial": layers[:1], "all": layers}[config.kl_on]
        divergences = [kl_loss(layer, nodes.node_mask, config.loss_reduction) for layer in penalised]
        return {
            "reconstruction_loss": reconstruction_loss(layers[-1], target, nodes.node_mask, config.loss_reduction),
            "kl_loss": torch.stack(divergences).mean(),
        }

    def _pair_weights(self, labels: torch.Tensor, direction_given: torch.Tensor | None) -> torch.Tensor:
        """How much each pair counts in equation 9, (pairs,)."""
        config = self.config
        weights = torch.ones(len(labels), device=labels.device)
        if config.no_relation_weight != 1:
            none = config.find_no_relation_id()
            unrelated = labels[:, none] if labels.is_floating_point() else labels == none
            weights = weights - (1 - config.no_relation_weight) * unrelated
        if direction_given is not None:
            weights[~direction_given.bool()] *= config.undirected_weight
        return weights


__all__ = ["VMHANForRelationExtraction", "VMHANModel", "VMHANModelOutput", "VMHANRelationOutput"]
