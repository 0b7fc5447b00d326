"""Settings of VM-HAN.

Where the paper leaves something open there is a field, and its default is our reading of the paper. The equations
named here are those of "Variational Multi-Modal Hypergraph Attention Network for Multi-Modal Relation Extraction".
"""

from dataclasses import field
from math import inf, isfinite
from typing import Literal

from huggingface_hub.dataclasses import strict
from transformers import AutoConfig, PreTrainedConfig
from transformers.configuration_utils import SubConfigSpec

from .configuration_vgg import VGGConfig
from .hypergraph import ALL_KINDS, PAIRWISE

NO_RELATION = "None"
VISUAL_FEATURES = ("pixels", "text", "box")
DIRECTION_UNKNOWN, DIRECTION_GIVEN = "direction_unknown", "direction_given"
_TEMPERATURES = ("no_relation", "relation")


class CustomPipelines(dict):
    """Lists the pipelines whose code a repository on the Hub holds, as in its `config.json`.

    `pipeline` takes a task of this list from the repository, and asks to trust its code. A task that is registered
    already needs neither, so it counts as not listed once the package is imported.
    """

    def __contains__(self, task: str) -> bool:
        from transformers.pipelines import PIPELINE_REGISTRY

        return super().__contains__(task) and task not in PIPELINE_REGISTRY.supported_tasks


@strict
class VMHANConfig(PreTrainedConfig):
    """Holds the settings that rebuild a VM-HAN without its weights.

    Args:
        text_config (`PreTrainedConfig` or `dict`, *optional*, defaults to BERT's):
            The text encoder. It reads the sentence and, with `"text"` among `visual_features`, texts about the image.
        entity_markers (`str`, *optional*, defaults to `"none"`):
            `"none"` (the paper), `"shared"`: every mention stands between the same two tokens, still one encoding for
            all pairs, or `"pair"`: four tokens distinguish head and tail, at the price of one encoding for each pair.
        entity_pool (`str`, *optional*, defaults to `"mean"`):
            State of a mention: the `"mean"` of its wordpieces, their `"first"` or `"max"`, the state of the
            `"marker"` before it, or `"mean_marker"`, the sum of both. The last two need entity markers.
        visual_features (`list[str]`, *optional*, defaults to `["pixels"]`):
            Features of a visual node: `"pixels"` (the paper), `"text"`, `"box"`. With an empty list images are not
            read.
        visual_hidden_size (`int`, *optional*, defaults to 4096):
            Width of `visual_states`; VGG16's fc7 has 4096.
        vision_config (`PreTrainedConfig` or `dict`, *optional*):
            The vision encoder that turns `pixel_values` into `visual_states`: a `VGGConfig` or the config of any
            vision encoder of `transformers`. Without it the model takes `visual_states` alone.
        tune_vision (`bool`, *optional*, defaults to `False`):
            Whether the vision encoder is trained too. A frozen one stays in evaluation mode.
        tune_visual_text (`bool`, *optional*, defaults to `False`):
            Whether the gradient reaches the text encoder through descriptions and labels. It costs about as much as
            the sentence does.
        hidden_size (`int`, *optional*, defaults to 768):
            Width of node and hyperedge states. A multiple of `num_attention_heads`.
        hyperedges (`list[str]`, *optional*, defaults to all three):
            Kinds of hyperedges: `"global"`, `"intra_modal"`, `"inter_modal"`; or `"pairwise"` alone, an edge between
            every two nodes in place of a hypergraph (Table 2).
        structure_encoder (`str`, *optional*, defaults to `"vhan"`):
            Passes messages between the nodes: `"vhan"`; one that Table 2 puts in its place, `"hgnn"`, `"gcn"`,
            `"gat"` or `"variational_gcn"`; or `"none"`, which classifies the nodes of equation 4.
        num_layers (`int`, *optional*, defaults to 2):
            V-HAN layers. With synchronous updates one layer brings nodes the initial states of their hyperedges.
        num_attention_heads (`int`, *optional*, defaults to 8):
            Heads of equations 5 and 7; 1 is the formula as printed.
        node_type_embedding (`bool`, *optional*, defaults to `False`):
            Adds a learned vector for the kind of node before equation 4.
        order_embedding (`bool`, *optional*, defaults to `False`):
            Adds a learned vector to head and tail for which of them comes first in the sentence.
        annotation_styles (`list[str]`, *optional*, defaults to none):
            Habits of annotation that the model tells apart, such as `["general", "mnre"]`: each adds a learned vector
            to head and tail. Requests that name none get the first.
        mention_kinds (`list[str]`, *optional*, defaults to none):
            Kinds of entities that the model finds in a sentence by itself, such as `["person", "place"]`. Without them
            it has no mention head, and every request names its entities.
        variational (`bool`, *optional*, defaults to `True`):
            Whether nodes have a variance. Without one there are means alone, in V-HAN and for the classifier, and the
            loss is its first part (Table 2, "w/o Variational Representation").
        variance_activation (`str`, *optional*, defaults to `"softplus"`):
            Keeps the variance of equation 4 positive: `"softplus"`, `"relu"`, `"exp"` or `"elu1"` (ELU plus one).
        mean_activation (`str`, *optional*, defaults to `"elu"`):
            sigma on the means of equations 6 and 8: `"elu"`, `"relu"`, `"tanh"` or `"none"`.
        variance_weight (`str`, *optional*, defaults to `"free"`):
            Weights on the variances of equations 6 and 8: `"free"` as printed, `"nonneg"` (their absolute value), or
            `"squared_mean"`, the square of the weights of the mean, as for a linear map of independent Gaussians.
        hyperedge_init (`str`, *optional*, defaults to `"mean"`):
            Hyperedges before the first layer: `"mean"` of the members, `"zero"`, a learned `"type_embedding"`, or
            `"mean+type"`. Zero makes the attention of the first layer uniform.
        update (`str`, *optional*, defaults to `"sync"`):
            Whether nodes read the hyperedges of the layer before (`"sync"`, as printed) or the new ones
            (`"sequential"`).
        tie_scores (`bool`, *optional*, defaults to `True`):
            Whether equations 5 and 7 share their two projections, as printed.
        layer_norm (`bool`, *optional*, defaults to `False`):
            Normalises the means after each layer.
        sample (`str`, *optional*, defaults to `"none"`):
            Draws from the Gaussians while training: `"none"`, before the `"classifier"`, or after `"every_layer"`.
        message_dropout, classifier_dropout (`float`, *optional*, default to 0.6):
            Dropout on messages and on the input of the classifier.
        word_dropout (`float`, *optional*, defaults to 0.0):
            Share of the wordpieces whose embedding is zero while training, so that names are not memorized.
        image_dropout (`float`, *optional*, defaults to 0.0):
            Share of the images that are hidden while training, so that the model works without one.
        description_dropout (`float`, *optional*, defaults to 0.0):
            Share of the images whose description is hidden while training, so that object names alone suffice.
        pair_features (`str`, *optional*, defaults to `"gaussian"`):
            Input of the classifier: the means and variances of head and tail (`"gaussian"`, equation 9), or these with
            the product and the difference of the means (`"interaction"`).
        direction_classifier (`bool`, *optional*, defaults to `False`):
            Adds the scores of a second classifier for pairs whose direction is given. Annotators reveal more than the
            direction by it: in MNRE only related pairs have the later entity first.
        relation_weight, reconstruction_weight, kl_weight (`float`, *optional*, default to 1, 0.1 and 0.001):
            The lambdas of equation 12; 0 drops a part.
        mention_weight, kind_weight (`float`, *optional*, default to 1 and 0.1):
            Weights, beside those of equation 12, of finding entities and of telling the kinds of head and tail. Both
            need `mention_kinds`.
        no_relation_weight (`float`, *optional*, defaults to 1.0):
            Weight of pairs without a relation in the cross-entropy; below 1 trades precision for recall.
        undirected_weight (`float`, *optional*, defaults to 1.0):
            Weight in the cross-entropy of pairs that are marked as without a given direction.
        label_smoothing (`float`, *optional*, defaults to 0.0):
            Share of the target of the cross-entropy that is spread evenly over all relations.
        reconstruction_target (`str`, *optional*, defaults to `"initial"`):
            The "true" Gaussians of equation 10: the detached `"initial"` ones, or the node `"features"` with unit
            variance.
        kl_on (`str`, *optional*, defaults to `"final"`):
            Nodes of equation 11: of the `"final"` layer, the `"initial"` ones, or `"all"` layers.
        loss_reduction (`str`, *optional*, defaults to `"mean"`):
            Whether equations 10 and 11 take the `"mean"` over the hidden width, which frees their weights from it, or
            the `"sum"`.
        initializer_range (`float`, *optional*, defaults to 0.02):
            Deviation of new weights.
        no_relation (`str`, *optional*, defaults to `"None"`):
            The label of pairs without a relation, as `id2label` spells it.
        temperatures (`dict`, *optional*):
            Divide the logits before the softmax of the pipeline, fitted on validation: for each of the modes
            `"direction_unknown"` and `"direction_given"` a number for pairs whose likeliest label is a `"relation"`
            and one for those with `"no_relation"`, or `{"temperature", "bias"}`, the bias of the likeliest label's
            log-odds; or all that for each of the `annotation_styles`. Without them scores are the plain softmax. No
            answer depends on it.
        training_scripts (`list[str]`, *optional*):
            Unicode scripts of the training text, such as `["LATIN"]`: each that has at least 2 % of its letters.
            Answers to text in others come with a warning; without the field they are not known, and none do.
        node_selection (`dict`, *optional*):
            How nodes were selected in training, as in `VMHANProcessor`, and `{}` where none were. A processor with
            other settings is refused; without the field they are not known, and none is.
    """

    model_type = "vmhan"
    sub_configs_defaults = {
        "text_config": SubConfigSpec(config_class=AutoConfig, model_type="bert"),
        "vision_config": SubConfigSpec(config_class=AutoConfig, model_type=VGGConfig.model_type, optional=True),
    }
    keys_to_ignore_at_inference = [
        "relation_loss",
        "reconstruction_loss",
        "kl_loss",
        "mention_loss",
        "kind_loss",
        "node_means",
        "node_variances",
        "hyperedge_means",
        "hyperedge_variances",
        "attentions",
        "node_attentions",
        "read_attention",
        "node_flow",
        "pair_variance",
        "node_mask",
        "node_types",
        "incidence",
    ]

    text_config: PreTrainedConfig | dict | None = None
    entity_markers: Literal["none", "shared", "pair"] = "none"
    entity_pool: Literal["mean", "first", "max", "marker", "mean_marker"] = "mean"
    visual_features: list[str] = field(default_factory=lambda: ["pixels"])
    visual_hidden_size: int = 4096
    vision_config: PreTrainedConfig | dict | None = None
    tune_vision: bool = False
    tune_visual_text: bool = False

    hidden_size: int = 768
    hyperedges: list[str] = field(default_factory=lambda: list(ALL_KINDS))
    structure_encoder: Literal["vhan", "hgnn", "gcn", "gat", "variational_gcn", "none"] = "vhan"
    num_layers: int = 2
    num_attention_heads: int = 8
    node_type_embedding: bool = False
    order_embedding: bool = False
    annotation_styles: list[str] = field(default_factory=list)
    mention_kinds: list[str] = field(default_factory=list)
    variational: bool = True
    variance_activation: Literal["softplus", "relu", "exp", "elu1"] = "softplus"
    mean_activation: Literal["elu", "relu", "tanh", "none"] = "elu"
    variance_weight: Literal["free", "nonneg", "squared_mean"] = "free"
    hyperedge_init: Literal["mean", "zero", "type_embedding", "mean+type"] = "mean"
    update: Literal["sync", "sequential"] = "sync"
    tie_scores: bool = True
    layer_norm: bool = False
    sample: Literal["none", "classifier", "every_layer"] = "none"

    message_dropout: float | int = 0.6
    classifier_dropout: float | int = 0.6
    word_dropout: float | int = 0.0
    image_dropout: float | int = 0.0
    description_dropout: float | int = 0.0
    pair_features: Literal["gaussian", "interaction"] = "gaussian"
    direction_classifier: bool = False

    relation_weight: float | int = 1.0
    reconstruction_weight: float | int = 0.1
    kl_weight: float | int = 0.001
    mention_weight: float | int = 1.0
    kind_weight: float | int = 0.1
    no_relation_weight: float | int = 1.0
    undirected_weight: float | int = 1.0
    label_smoothing: float | int = 0.0
    reconstruction_target: Literal["initial", "features"] = "initial"
    kl_on: Literal["final", "initial", "all"] = "final"
    loss_reduction: Literal["mean", "sum"] = "mean"

    initializer_range: float | int = 0.02
    no_relation: str = NO_RELATION
    temperatures: dict | None = None
    training_scripts: list[str] | None = None
    node_selection: dict | None = None

    def __setattr__(self, name, value):
        super().__setattr__(name, CustomPipelines(value) if name == "custom_pipelines" else value)

    @property
    def label_names(self) -> dict[int, str]:
        """Returns the name of each label by its id."""
        return {int(index): str(name) for index, name in (self.id2label or {}).items()}

    def find_no_relation_id(self) -> int:
        """Finds the id of the label `no_relation` in `id2label`.

        Raises:
            ValueError: No label has this name.
        """
        ids = [index for index, name in self.label_names.items() if name == self.no_relation]
        if not ids:
            raise ValueError(
                f"no_relation is {self.no_relation!r}, which is none of the labels {list(self.label_names.values())}. "
                "Name the label of pairs without a relation as id2label spells it, no_relation=...; where there is no "
                f"such label, no_relation_weight, now {self.no_relation_weight}, has to be 1."
            )
        return ids[0]

    def validate_heads(self):
        """Checks that each head takes an equal slice of a node."""
        if self.num_attention_heads < 1 or self.hidden_size < 1 or self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"hidden_size {self.hidden_size} is no multiple of num_attention_heads {self.num_attention_heads}."
            )

    def validate_visual_features(self):
        """Checks that all features are known, each once."""
        unknown = [name for name in self.visual_features if name not in VISUAL_FEATURES]
        if unknown or len(set(self.visual_features)) < len(self.visual_features):
            raise ValueError(
                f"visual_features {self.visual_features} must be distinct names out of {list(VISUAL_FEATURES)}."
            )

    def validate_vision_config(self):
        """Checks that the vision encoder has the width of `visual_states`."""
        if not isinstance(self.vision_config, PreTrainedConfig):
            return
        if "pixels" not in self.visual_features:
            raise ValueError(f'A vision_config needs "pixels" among visual_features {self.visual_features}.')
        width = getattr(self.vision_config, "hidden_size", None)
        if self.vision_config.model_type == VGGConfig.model_type and width != self.visual_hidden_size:
            raise ValueError(f"visual_hidden_size {self.visual_hidden_size} is not the {width} of the vision encoder.")

    def validate_hyperedges(self):
        """Checks that kinds are known, each once, or are pairs of nodes, whose edges have no type."""
        pairwise = self.hyperedges == [PAIRWISE]
        distinct = set(self.hyperedges)
        if not pairwise and (not distinct <= set(ALL_KINDS) or len(distinct) < len(self.hyperedges)):
            raise ValueError(f"hyperedges {self.hyperedges} must be distinct names out of {list(ALL_KINDS)}.")
        if pairwise and "type" in self.hyperedge_init:
            raise ValueError(f'hyperedge_init "{self.hyperedge_init}" needs types, which pairwise edges lack.')

    def validate_names(self):
        """Checks that annotation styles and kinds of entities have distinct names."""
        for field_name in ("annotation_styles", "mention_kinds"):
            names = getattr(self, field_name)
            if len(set(names)) < len(names) or not all(names):
                raise ValueError(f"{field_name} {names} must be distinct names, none of them empty.")

    def find_annotation_style(self, name: str | None) -> int:
        """Finds the index of an annotation style by its name; None is the first.

        Raises:
            ValueError: The model does not know it.
        """
        if name is None:
            return 0
        if name not in self.annotation_styles:
            known = (
                f"it knows {', '.join(map(repr, self.annotation_styles))}" if self.annotation_styles else "it has none"
            )
            raise ValueError(f"annotation_style is {name!r}, which this model does not know: {known}.")
        return self.annotation_styles.index(name)

    def validate_variational(self):
        """Checks that settings that need a variance have one."""
        needing = [
            f'{name} "{value}"'
            for name, value in (("sample", self.sample), ("structure_encoder", self.structure_encoder))
            if value in ("classifier", "every_layer", "variational_gcn")
        ]
        if needing and not self.variational:
            raise ValueError(f"{' and '.join(needing)} needs variational nodes; set variational, or choose another.")

    def validate_entity_pool(self):
        """Checks that a pool of marker states has markers."""
        if "marker" in self.entity_pool and self.entity_markers == "none":
            raise ValueError(f'entity_pool "{self.entity_pool}" needs entity_markers "shared" or "pair", not "none".')

    def validate_rates(self):
        """Checks that dropouts and smoothing are shares, and that weights are not negative."""
        dropouts = ("message_dropout", "classifier_dropout", "word_dropout", "image_dropout", "description_dropout")
        for name in (*dropouts, "label_smoothing"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} {getattr(self, name)} is not between 0 and 1.")
        weights = ("relation_weight", "reconstruction_weight", "kl_weight", "no_relation_weight", "undirected_weight")
        for name in (*weights, "mention_weight", "kind_weight"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} {getattr(self, name)} is negative, or no number.")
        if self.num_layers < 0:
            raise ValueError(f"num_layers {self.num_layers} is negative.")

    def validate_temperatures(self):
        """Checks that each mode has two positive numbers, perhaps for each annotation style."""
        temperatures = self.temperatures or {}
        by_style = bool(temperatures) and set(temperatures) <= set(self.annotation_styles)
        for of_style in temperatures.values() if by_style else [temperatures]:
            if not isinstance(of_style, dict) or not all(map(_is_mode, of_style.items())):
                raise ValueError(
                    f"temperatures {self.temperatures!r} must hold, for {DIRECTION_UNKNOWN!r} and "
                    f"{DIRECTION_GIVEN!r}, a positive number for each of {list(_TEMPERATURES)}, or a dict of "
                    f"temperature and bias; or that for each of the annotation_styles {self.annotation_styles}."
                )


def _is_mode(entry: tuple) -> bool:
    """Tests whether an entry of `temperatures` is a mode with its numbers."""
    mode, of_mode = entry
    if mode not in (DIRECTION_UNKNOWN, DIRECTION_GIVEN) or not isinstance(of_mode, dict):
        return False
    return sorted(of_mode) == sorted(_TEMPERATURES) and all(map(_is_calibration, of_mode.values()))


def _is_calibration(of_kind) -> bool:
    """Tests whether an entry of a mode is a positive number, perhaps with a bias."""
    if not isinstance(of_kind, dict):
        return 0 < of_kind < inf
    numbers = of_kind.keys() == {"temperature", "bias"} and all(isfinite(value) for value in of_kind.values())
    return numbers and of_kind["temperature"] > 0


__all__ = ["DIRECTION_GIVEN", "DIRECTION_UNKNOWN", "NO_RELATION", "VISUAL_FEATURES", "VMHANConfig"]
