"""VM-HAN: encoders, the hypergraph of every pair, V-HAN and the relation classifier.

A sentence and an image are encoded once, however many pairs they hold; `pair_sentence` and `pair_image` point each
pair at its own. What a pair adds is its hypergraph: a handful of nodes and five hyperedges.
"""

from dataclasses import replace
from typing import Any

import torch
from torch import nn
from transformers import AutoModel, PreTrainedConfig, PreTrainedModel
from transformers.utils import logging
from transformers.utils.generic import can_return_tuple

from .configuration_vmhan import VMHANConfig
from .hypergraph import HEAD, IMAGE, NODE_TYPES, OBJECT, TAIL, TEXT_PHRASE, VISUAL_PHRASE, build_incidence
from .losses import RelationTargets, kind_loss, weighted_losses
from .mention_finder import MentionHead
from .mention_labels import mention_loss
from .model_inputs import ImageInputs, Masked, SentenceInputs, drop_images, masked, prepend_image
from .model_outputs import VMHANModelOutput, VMHANRelationOutput
from .node_states import EncodedInputs, NodeGroup, VisualNodes, box_features, pool_spans, split_by_length
from .structure_encoders import STRUCTURE_ENCODERS
from .text_encoder import load_marked_tokenizer, load_text_encoder
from .vhan import Gaussian, GaussianNodes, StructureOutput
from .vision_encoder import build_vision_model, encode_distinct, feature_width, load_image_processor, load_vision_model

logger = logging.get_logger(__name__)


class VMHANPreTrainedModel(PreTrainedModel):
    """Shares config class, input names and what may be split over devices between the models."""

    config: VMHANConfig
    config_class = VMHANConfig
    base_model_prefix = "vmhan"
    main_input_name = "input_ids"
    input_modalities = ["image", "text"]
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _supports_flash_attn = True
    # these join the results of several weights, which has to happen on one device
    _no_split_modules = ["VisualNodes", "GaussianNodes", "VHAN", "GraphEncoder"]
    # reconstruction and divergence have no item count to divide by, so Trainer averages the steps itself
    accepts_loss_kwargs = False


class VMHANModel(VMHANPreTrainedModel):
    """Encodes sentences, images and pairs as Gaussian nodes.

    Args:
        config: The settings.
        text_model: A built text encoder, which keeps its weights; by default one is built from `config.text_config`.
        vision_model: Likewise for `config.vision_config`, which may be None.
    """

    def __init__(
        self,
        config: VMHANConfig,
        text_model: PreTrainedModel | None = None,
        vision_model: PreTrainedModel | None = None,
    ):
        super().__init__(config)
        encoder: Any = text_model if text_model is not None else AutoModel.from_config(config.text_config)
        if getattr(encoder, "pooler", None) is not None:
            encoder.pooler = None  # nothing reads it, so it would be parameters without a gradient
        self.text_model = encoder
        config.text_config = encoder.config  # one object, so that resized embeddings reach the saved config
        text_size = encoder.config.hidden_size
        same_size = text_size == config.hidden_size
        self.text_projection = nn.Identity() if same_size else nn.Linear(text_size, config.hidden_size)
        if vision_model is None and isinstance(config.vision_config, PreTrainedConfig):
            vision_model = build_vision_model(config.vision_config)
        self.vision_model = vision_model
        if vision_model is not None:
            vision_model.config.architectures = [type(vision_model).__name__]  # a model or a backbone
            config.vision_config = vision_model.config
        self.visual_nodes = VisualNodes(config)
        self.node_type_embedding = (
            nn.Embedding(len(NODE_TYPES), config.hidden_size) if config.node_type_embedding else None
        )
        self.order_embedding = nn.Embedding(2, config.hidden_size) if config.order_embedding else None
        styles = len(config.annotation_styles)
        self.style_embedding = nn.Embedding(styles, config.hidden_size) if styles else None
        self.gaussian_nodes = GaussianNodes(config)
        self.structure_encoder = STRUCTURE_ENCODERS[config.structure_encoder](config)
        self.post_init()
        self.train(self.training)

    def train(self, mode: bool = True) -> "VMHANModel":
        """Sets training or evaluation mode; a frozen vision encoder stays in evaluation mode.

        It is frozen here, not in the constructor: loading a checkpoint gives every parameter its gradient back, and
        then calls this.
        """
        super().train(mode)
        if self.vision_model is not None and not self.config.tune_vision:
            self.vision_model.eval().requires_grad_(False)
        return self

    def get_input_embeddings(self) -> nn.Module:
        """Returns the embeddings of the text encoder."""
        return self.text_model.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module):
        """Replaces the embeddings of the text encoder."""
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
        """Encodes each sentence and image once and passes messages over the hypergraph of every pair.

        Args:
            input_ids, attention_mask, pair_sentence, head_span, tail_span, visual_inputs: As `encode` takes them.
            encoded: In place of all these, the result of `encode`, or some of its pairs.
            output_hidden_states, output_attentions: Whether to return the states and attentions of every layer.

        Raises:
            ValueError: As `encode` does.
        """
        if encoded is None:
            inputs = _required(
                input_ids=input_ids,
                attention_mask=attention_mask,
                pair_sentence=pair_sentence,
                head_span=head_span,
                tail_span=tail_span,
            )
            encoded = self.encode(*inputs, **visual_inputs)
        nodes = self._build_nodes(encoded)
        incidence = build_incidence(nodes.types, nodes.mask, self.config.hyperedges)  # (pairs, nodes, hyperedges)
        structure = self.structure_encoder(self.gaussian_nodes(nodes.states), incidence)
        output = self._to_output(nodes, incidence, structure, output_hidden_states, output_attentions)
        output.sentence_states = encoded.sentence_states
        return output

    def encode(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        pair_sentence: torch.Tensor,
        head_span: torch.Tensor,
        tail_span: torch.Tensor,
        *,
        text_phrase_spans: torch.Tensor | None = None,
        text_phrase_mask: torch.Tensor | None = None,
        pair_image: torch.Tensor | None = None,
        pair_object_mask: torch.Tensor | None = None,
        tail_object: torch.Tensor | None = None,
        annotation_style: torch.Tensor | None = None,
        visual_phrase_ids: torch.Tensor | None = None,
        visual_phrase_mask: torch.Tensor | None = None,
        sentences_at_once: int | None = None,
        **images,
    ) -> EncodedInputs:
        """Runs the encoders: all of `forward` that does not depend on the hypergraph of a pair.

        The result can go through `forward` in chunks of pairs, so that many of them need little memory.

        Args:
            input_ids, attention_mask: (sentences, tokens).
            pair_sentence: Row of each pair's sentence, (pairs,).
            head_span, tail_span: Wordpieces [start, end) of the mentions, (pairs, 2).
            text_phrase_spans, text_phrase_mask: Further nodes from the sentence, (pairs, m, 2) and (pairs, m).
            pair_image: Row of each pair's image, -1 for none, (pairs,). Without it no pair has an image.
            pair_object_mask: The objects selected for a pair, (pairs, objects); by default all of its image.
            tail_object: The object of the pair's image that is its tail, (pairs,); -1, the default, where the tail is
                text. Such an object is the tail's node and no other, and `tail_span` is not read.
            annotation_style: Index into `config.annotation_styles` for each pair, (pairs,); by default the first.
            visual_phrase_ids, visual_phrase_mask: Further nodes about the image, (pairs, n, phrase tokens).
            sentences_at_once: How many sentences go through the text encoder together; by default all. With a pair of
                entity markers every pair has a sentence of its own.
            images: The fields of `ImageInputs`.

        Raises:
            ValueError: An object that is a tail has no features, pixels come without a vision encoder, or a wordpiece
                has no embedding.
        """
        mention_spans = torch.stack([head_span, tail_span], dim=1)  # (pairs, 2, 2)
        text_phrases = masked(text_phrase_spans, text_phrase_mask)
        sentences = SentenceInputs(input_ids, attention_mask, pair_sentence, mention_spans, text_phrases)
        mention_nodes, text_phrase_nodes, sentence_states = self._encode_sentences(sentences, sentences_at_once)
        mention_nodes = self._add_style(mention_nodes, annotation_style)
        inputs, visual, visual_phrases = ImageInputs(**images), None, None
        if pair_image is not None:
            if self.training:
                pair_image, inputs = drop_images(
                    pair_image,
                    inputs,
                    tail_object,
                    image_dropout=self.config.image_dropout,
                    description_dropout=self.config.description_dropout,
                )
            visual = self._encode_visual(inputs, pair_image)
            visual_phrases = self._encode_visual_phrases(masked(visual_phrase_ids, visual_phrase_mask, 3), pair_image)
        if visual is None and tail_object is not None and (tail_object >= 0).any():
            raise ValueError(
                "An object is the tail of a pair, but the batch has none of the model's visual_features, "
                f"{self.config.visual_features}."
            )
        return EncodedInputs(
            mention_nodes,
            text_phrase_nodes,
            visual,
            visual_phrases,
            pair_image,
            pair_object_mask,
            tail_object,
            sentence_states,
        )

    def encode_images(self, pixel_values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Computes features of images and crops, each distinct one once.

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

    def _build_nodes(self, encoded: EncodedInputs) -> NodeGroup:
        """Builds the nodes of each pair before equation 4, in `NODE_TYPES` order."""
        nodes = encoded.build_nodes()
        if self.node_type_embedding is None:
            return nodes
        return nodes._replace(states=nodes.states + self.node_type_embedding(nodes.types))

    def _to_output(
        self,
        nodes: NodeGroup,
        incidence: torch.Tensor,
        structure: StructureOutput,
        with_states: bool,
        with_attentions: bool,
    ) -> VMHANModelOutput:
        """Returns the output, with states and attentions of the layers where they are wanted."""
        layers, attentions = {}, {}
        if with_states:
            layers["node_means"], layers["node_variances"] = _unzip(structure.nodes)
            layers["hyperedge_means"], layers["hyperedge_variances"] = _unzip(structure.hyperedges)
        if with_attentions:
            names = ("attentions", "node_attentions", "read_attention", "node_flow")
            attentions = {name: getattr(structure, name) for name in names}
        return VMHANModelOutput(
            last_node_mean=structure.nodes[-1].mean,
            last_node_variance=structure.nodes[-1].variance,
            node_features=nodes.states,
            node_mask=nodes.mask,
            node_types=nodes.types,
            incidence=incidence,
            **layers,
            **attentions,
        )

    def _encode(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Encodes rows of wordpieces, (rows, tokens), as states (rows, tokens, text)."""
        try:
            inputs = {"input_ids": input_ids}
            if self.training and self.config.word_dropout:
                kept = torch.rand(input_ids.shape, device=input_ids.device) >= self.config.word_dropout
                inputs = {"inputs_embeds": self.get_input_embeddings()(input_ids) * kept[..., None]}
            return self.text_model(**inputs, attention_mask=attention_mask).last_hidden_state
        except IndexError as error:  # reading the ids takes time on an accelerator, so it is done only then
            rows, largest = len(self.get_input_embeddings().get_parameter("weight")), int(input_ids.max())
            if largest < rows:
                raise
            raise ValueError(
                f"input_ids hold the wordpiece {largest}, but the text encoder has {rows} embeddings: the processor's "
                "tokenizer has tokens, such as entity markers, that the model does not know. Build both with the same "
                "entity_markers, or call model.add_tokens(processor.tokenizer, processor.markers)."
            ) from error

    def _encode_sentences(
        self, sentences: SentenceInputs, sentences_at_once: int | None
    ) -> tuple[NodeGroup, NodeGroup | None, torch.Tensor | None]:
        """Encodes sentences and pools the mentions and text phrases of each pair; keeps the states of one chunk."""
        mentions, phrases, rows, states = [], [], [], None
        for rows_of_chunk, chunk in sentences.split(sentences_at_once):
            states = self._encode(chunk.input_ids, chunk.attention_mask)  # (sentences, tokens, text)
            mentions.append(self._mentions(states, chunk))
            if chunk.text_phrases is not None:
                phrases.append(self._text_phrases(states, chunk.pair_sentence, chunk.text_phrases))
            rows.append(rows_of_chunk)
        stacked = NodeGroup.stack(mentions, rows), NodeGroup.stack(phrases, rows) if phrases else None
        return *stacked, states if len(mentions) == 1 else None

    def _mentions(self, sentence_states: torch.Tensor, sentences: SentenceInputs) -> NodeGroup:
        spans = sentences.mention_spans
        pooled = pool_spans(sentence_states, sentences.pair_sentence, spans, self.config.entity_pool)
        states = self.text_projection(pooled)  # (pairs, 2, hidden)
        if self.order_embedding is not None:
            starts = spans[..., 0]
            states = states + self.order_embedding((starts > starts.flip(1)).long())
        return NodeGroup(states, states.new_ones(states.shape[:2], dtype=torch.bool), spans.new_tensor([HEAD, TAIL]))

    def _add_style(self, mentions: NodeGroup, annotation_style: torch.Tensor | None) -> NodeGroup:
        """Adds the vector of each pair's annotation style to its head and tail."""
        if self.style_embedding is None:
            return mentions
        if annotation_style is None:
            annotation_style = mentions.types.new_zeros(len(mentions.states))
        return mentions._replace(states=mentions.states + self.style_embedding(annotation_style)[:, None])

    def _text_phrases(self, sentence_states: torch.Tensor, pair_sentence: torch.Tensor, phrases: Masked) -> NodeGroup:
        spans, mask = phrases
        states = self.text_projection(pool_spans(sentence_states, pair_sentence, spans))  # (pairs, m, hidden)
        return NodeGroup(states, mask, spans.new_full(spans.shape[1:2], TEXT_PHRASE))

    def _encode_visual(self, images: ImageInputs, pair_image: torch.Tensor) -> NodeGroup | None:
        """Computes image and object nodes, (images, 1 + objects, hidden); None without any feature."""
        images = self._encode_pixels(images, pair_image)
        features = {name: self._visual_feature(name, images) for name in self.config.visual_features}
        features = {name: feature for name, feature in features.items() if feature is not None}
        if not features:
            return None
        states, mask = self.visual_nodes(features)
        if images.object_mask is not None:
            mask = mask & prepend_image(images.object_mask)
        types = torch.tensor([IMAGE] + [OBJECT] * (mask.shape[1] - 1), device=mask.device)
        return NodeGroup(states, mask, types)

    def _encode_pixels(self, images: ImageInputs, pair_image: torch.Tensor) -> ImageInputs:
        """Replaces pixels by the states that the vision encoder computes, where the config lists them."""
        pixels = images.pixel_values
        if pixels is None or "pixels" not in self.config.visual_features:
            return images
        if images.visual_states is not None:
            raise ValueError("Give pixel_values or visual_states, which are computed from them, not both.")
        mask = images.visible_mask(pixels.shape[:2], pair_image)  # (images, 1 + objects)
        return replace(images, visual_states=self.encode_images(pixels, mask), visual_state_mask=mask)

    def _visual_feature(self, name: str, images: ImageInputs) -> Masked | None:
        """Computes a feature of `config.visual_features`; None where the batch does not hold it."""
        if name == "pixels":
            return images.states
        if name == "text":
            return images.text and self._encode_phrases(*images.text)
        return images.boxes and box_features(*images.boxes)

    def _encode_visual_phrases(self, phrases: Masked | None, pair_image: torch.Tensor) -> NodeGroup | None:
        if phrases is None or not self.config.visual_features:
            return None
        states, exists = self._encode_phrases(*phrases)
        reads_text = "text" in self.config.visual_features  # else phrases are the only words about images
        project = self.visual_nodes.projections["text"] if reads_text else self.text_projection
        types = phrases.values.new_full(exists.shape[1:], VISUAL_PHRASE)
        return NodeGroup(project(states), exists & (pair_image >= 0)[:, None], types)

    def _encode_phrases(self, ids: torch.Tensor, mask: torch.Tensor) -> Masked:
        """Averages the token states of each phrase; a distinct one is encoded once ("man" is in many images).

        Args:
            ids, mask: (rows, phrases, tokens).

        Returns:
            States (rows, phrases, text), and which phrases have a token (rows, phrases).
        """
        exists = mask.bool().any(dim=-1)
        width = self.config.get_text_config().hidden_size
        states = torch.zeros(*exists.shape, width, device=ids.device, dtype=self.dtype)
        if not exists.any():
            return Masked(states, exists)
        phrases = torch.stack([ids[exists], mask[exists].to(ids.dtype)], dim=1)  # (phrases, 2, tokens)
        distinct, index = phrases.unique(dim=0, return_inverse=True)
        order = distinct[:, 1].sum(dim=-1).argsort(descending=True)  # the longest first
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.config.tune_visual_text):
            means = torch.cat([self._mean_states(*chunk.unbind(dim=1)) for chunk in split_by_length(distinct[order])])
        means = means[order.argsort()[index]]  # (phrases, text)
        return Masked(states.to(means.dtype).masked_scatter(exists[..., None], means), exists)

    def _mean_states(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Averages the states of the tokens of each phrase, (phrases, tokens) to (phrases, text)."""
        weights = mask.to(self.dtype)[:, None]  # (phrases, 1, tokens)
        return (weights @ self._encode(ids, mask).to(self.dtype)).squeeze(1) / weights.sum(dim=-1)


def _required(**inputs: torch.Tensor | None) -> list[torch.Tensor]:
    """Returns the inputs; raises a ValueError that names those that are missing."""
    missing = [name for name, value in inputs.items() if value is None]
    if missing:
        raise ValueError(f"The model is given no {', '.join(missing)}; call it as model(**processor(...)).")
    return [value for value in inputs.values() if value is not None]


def _unzip(layers: tuple[Gaussian, ...]) -> tuple[tuple[torch.Tensor, ...], tuple[torch.Tensor, ...]]:
    """Separates means and variances of layers."""
    return tuple(layer.mean for layer in layers), tuple(layer.variance for layer in layers)


class VMHANForRelationExtraction(VMHANPreTrainedModel):
    """Classifies relations: VM-HAN with the classifier of equation 9 and the loss of equation 12."""

    def __init__(
        self,
        config: VMHANConfig,
        text_model: PreTrainedModel | None = None,
        vision_model: PreTrainedModel | None = None,
    ):
        super().__init__(config)
        config.label2id = {name: index for index, name in config.label_names.items()}  # given names may lack theirs
        if config.no_relation_weight != 1:
            config.find_no_relation_id()  # or the first step of training would fail
        self.vmhan = VMHANModel(config, text_model, vision_model)
        parts = (4 if config.variational else 2) + (2 if config.pair_features == "interaction" else 0)
        width, labels = parts * config.hidden_size, len(config.label_names)
        self.dropout = nn.Dropout(config.classifier_dropout)
        self.classifier = nn.Linear(width, labels)
        self.direction_classifier = nn.Linear(width, labels) if config.direction_classifier else None
        kinds = len(config.mention_kinds)
        self.kind_classifier = nn.Linear(config.hidden_size, kinds) if kinds else None
        self.mention_head = MentionHead(config.get_text_config().hidden_size, kinds) if kinds else None
        self.post_init()

    @classmethod
    def from_text_pretrained(
        cls, name_or_path: str, vision_model: PreTrainedModel | None = None, **settings
    ) -> "VMHANForRelationExtraction":
        """Builds a new model around a pretrained text encoder; all other weights are random.

        With `entity_markers` the encoder gets embeddings for them, as the processor of the same name and markers has
        tokens.

        Args:
            name_or_path: Hub id or folder of the text encoder.
            vision_model: A built vision encoder, which keeps its weights.
            settings: Fields of `VMHANConfig`; `hidden_size` is the encoder's unless given.

        Raises:
            OSError: The encoder is unavailable.
            ValueError: The name is that of something else, such as a trained VM-HAN.
        """
        text_model = load_text_encoder(name_or_path)
        text_model.config.name_or_path = ""  # a folder of this machine means nothing where the model is loaded
        settings = {"hidden_size": text_model.config.hidden_size, **settings}
        if vision_model is not None:
            settings["vision_config"] = vision_model.config.to_dict()
        config = VMHANConfig(text_config=text_model.config.to_dict(), **settings)
        model = cls(config, text_model=text_model, vision_model=vision_model)
        if config.entity_markers != "none":
            model._add_markers(name_or_path)
        return model

    @classmethod
    def from_text_vision_pretrained(cls, text: str, vision: str, **settings) -> "VMHANForRelationExtraction":
        """Builds a new model around pretrained encoders of text and images, such as ("bert-base-uncased", "vgg16").

        Args:
            text: Hub id or folder of the text encoder.
            vision: The vision encoder, as `load_vision_model` takes it. It is saved with the model.
            settings: Fields of `VMHANConfig`; `visual_hidden_size` is the vision encoder's.
        """
        vision_model = load_vision_model(vision)
        settings["visual_hidden_size"] = feature_width(vision_model, load_image_processor(vision))
        return cls.from_text_pretrained(text, vision_model=vision_model, **settings)

    def add_tokens(self, tokenizer, like: dict[str, str]) -> None:
        """Adds embeddings for tokens of `tokenizer` that the encoder lacks.

        Args:
            tokenizer: The tokenizer with the new tokens.
            like: For new tokens, old ones whose embedding they start from; a bracket is a better start for a marker
                than noise.
        """
        if len(tokenizer) > len(self.get_input_embeddings().get_parameter("weight")):
            self.resize_token_embeddings(len(tokenizer), mean_resizing=False)
        embeddings = self.get_input_embeddings().get_parameter("weight").data  # (tokens, text)
        for new, old in like.items():
            embeddings[tokenizer.convert_tokens_to_ids(new)] = embeddings[tokenizer.convert_tokens_to_ids(old)]

    def _add_markers(self, text_name_or_path: str) -> None:
        """Adds embeddings for the entity markers that the tokenizer of the text encoder lacks."""
        try:
            tokenizer, markers = load_marked_tokenizer(text_name_or_path, self.config.entity_markers)
        except OSError as error:
            logger.warning(
                f"{error}; call model.add_tokens(processor.tokenizer, processor.markers), so that the entity markers "
                f'"{self.config.entity_markers}" have embeddings.'
            )
        else:
            self.add_tokens(tokenizer, like=markers)

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
        candidate_labels: torch.BoolTensor | None = None,
        pair_weight: torch.Tensor | None = None,
        kind_labels: torch.LongTensor | None = None,
        mention_labels: torch.LongTensor | None = None,
        output_hidden_states: bool = False,
        output_attentions: bool = False,
        **further_inputs,
    ) -> VMHANRelationOutput:
        """Scores every relation for every pair.

        Args:
            input_ids, attention_mask, pair_sentence, head_span, tail_span: As `VMHANModel.encode` takes them.
            direction_given: Whether annotators give head and tail in this order, (pairs,); by default it is not
                known. It matters with `config.direction_classifier` only.
            labels: Gold relations, (pairs,), or a probability for each relation, (pairs, labels), such as a teacher
                gives. With them the output holds the loss and its parts.
            candidate_labels: True for the labels that the gold relation may be, (pairs, labels), where annotators mark
                but some labels; by default the gold one alone.
            pair_weight: Weight of each pair in equation 9, (pairs,); by default 1.
            kind_labels: Index into `config.mention_kinds` of head and tail, (pairs, 2); -100 where it is not known.
            mention_labels: Labels of the wordpieces for finding entities, (sentences, tokens), as `mention_labels_of`
                builds them; -100 where nothing is known.
            output_hidden_states, output_attentions: Whether to return the states and attentions of every layer.
            further_inputs: Those of `VMHANModel.encode`, or `encoded` in place of all others.
        """
        nodes: VMHANModelOutput = self.vmhan(
            input_ids,
            attention_mask,
            pair_sentence,
            head_span,
            tail_span,
            output_hidden_states=True,
            output_attentions=output_attentions,
            return_dict=True,
            **further_inputs,
        )
        features = self.dropout(self._pair_features(nodes))  # (pairs, 2 to 6 times hidden)
        logits = self.classifier(features)  # (pairs, labels)
        if self.direction_classifier is not None and direction_given is not None:
            logits = logits + self.direction_classifier(features) * direction_given[:, None]
        losses = {}
        if labels is not None:
            targets = RelationTargets(labels, candidate_labels, direction_given, pair_weight)
            losses = weighted_losses(self.config, logits, targets, nodes)
            losses = self._add_entity_losses(losses, nodes, mention_labels, kind_labels)
        return VMHANRelationOutput(
            **losses,
            logits=logits,
            pair_variance=nodes.last_node_variance[:, : TAIL + 1].mean(dim=(1, 2)),
            **nodes.hypergraph(with_states=output_hidden_states),
        )

    def _add_entity_losses(
        self,
        losses: dict[str, torch.Tensor],
        nodes: VMHANModelOutput,
        mention_labels: torch.Tensor | None,
        kind_labels: torch.Tensor | None,
    ) -> dict[str, torch.Tensor]:
        """Adds the losses of finding entities and of the kinds of head and tail, where the batch has their targets."""
        if self.kind_classifier is not None and kind_labels is not None:
            logits = self.kind_classifier(nodes.node_features[:, : TAIL + 1])  # (pairs, 2, kinds)
            losses["kind_loss"] = kind_loss(logits, kind_labels)
            losses["loss"] = losses["loss"] + self.config.kind_weight * losses["kind_loss"]
        if self.mention_head is not None and mention_labels is not None:
            logits = self.mention_head(nodes.sentence_states)  # (sentences, tokens, mention labels)
            losses["mention_loss"] = mention_loss(logits, mention_labels)
            losses["loss"] = losses["loss"] + self.config.mention_weight * losses["mention_loss"]
        return losses

    def _pair_features(self, nodes: VMHANModelOutput) -> torch.Tensor:
        """Joins head and tail as the input of the classifier, (pairs, 2 to 6 times hidden)."""
        entities = Gaussian(nodes.last_node_mean[:, : TAIL + 1], nodes.last_node_variance[:, : TAIL + 1])
        if self.training and self.config.sample == "classifier":
            entities = entities.sample()
        head, tail = entities.mean.unbind(dim=1)  # (pairs, hidden)
        head_variance, tail_variance = entities.variance.unbind(dim=1)
        parts = [head, head_variance, tail, tail_variance] if self.config.variational else [head, tail]
        if self.config.pair_features == "interaction":
            parts += [head * tail, head - tail]
        return torch.cat(parts, dim=-1)


__all__ = ["VMHANForRelationExtraction", "VMHANModel"]
