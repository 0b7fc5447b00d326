import json
from pathlib import Path

import pytest
import torch
from accelerate import cpu_offload
from pairwise import pairwise
from safetensors.torch import load_file, save_file
from tiny import (
    LABELS,
    save_tiny_checkpoint,
    tiny_batch,
    tiny_config,
    tiny_model,
    tiny_processor,
    tiny_text_config,
    tiny_tokenizer,
)
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification, AutoProcessor, BertModel

from train.optimization import parameter_groups
from vmhan import VMHANConfig, VMHANForRelationExtraction, VMHANModel, VMHANProcessor
from vmhan.hypergraph import OBJECT, VISUAL_PHRASE
from vmhan.model_inputs import ImageInputs, drop_images

ALL_KNOWN = ["pixels", "text", "box"]
OF_PAIRS = ["pair_sentence", "pair_image", "head_span", "tail_span", "labels"]
OF_PAIRS += ["text_phrase_spans", "text_phrase_mask", "visual_phrase_ids", "visual_phrase_mask"]
OF_IMAGES = ["visual_states", "visual_state_mask", "visual_text_ids", "visual_text_mask"]
OF_IMAGES += ["object_boxes", "object_box_mask", "object_mask"]
VISUAL = [*OF_IMAGES, "pair_image", "visual_phrase_ids", "visual_phrase_mask"]
NO_DROPOUT = {"message_dropout": 0, "classifier_dropout": 0}

VARIANTS = [
    {},
    {"visual_features": [], "order_embedding": True, "variational": False},
    {
        "visual_features": ["pixels"],
        "num_layers": 3,
        "update": "sequential",
        "tie_scores": False,
        "variance_weight": "nonneg",
    },
    {
        "visual_features": ["text"],
        "tune_visual_text": True,
        "structure_encoder": "hgnn",
        "direction_classifier": True,
        "label_smoothing": 0.1,
    },
    {
        "entity_markers": "shared",
        "entity_pool": "mean_marker",
        "structure_encoder": "gat",
        "variational": False,
        "pair_features": "interaction",
    },
    {
        "hidden_size": 24,
        "num_attention_heads": 3,
        "num_layers": 1,
        "hyperedge_init": "mean+type",
        "layer_norm": True,
        "node_type_embedding": True,
        "hyperedges": ["global", "inter_modal"],
    },
    {
        "structure_encoder": "variational_gcn",
        "hyperedges": ["pairwise"],
        "pair_features": "interaction",
        "sample": "classifier",
    },
    {
        "variance_weight": "squared_mean",
        "mean_activation": "tanh",
        "tie_scores": False,
        "sample": "every_layer",
        "kl_on": "all",
    },
]
each_variant = pytest.mark.parametrize("variant", VARIANTS, ids=str)

#: What `VARIANTS` leaves out: values of the options of V-HAN, and of those of the model around a structure encoder.
VHAN_OPTIONS = [
    [{}, {"variational": False}, {"sample": "every_layer"}],
    [{"variance_weight": "free"}, {"variance_weight": "nonneg"}, {"variance_weight": "squared_mean"}],
    [{"hyperedge_init": name} for name in ("mean", "zero", "type_embedding", "mean+type")],
    [{"mean_activation": name} for name in ("elu", "relu", "tanh", "none")],
    [{"update": "sync"}, {"update": "sequential"}],
    [{"tie_scores": True}, {"tie_scores": False}],
    [{"layer_norm": False}, {"layer_norm": True}],
    [{"num_layers": count} for count in (1, 2, 3)],
    [{"num_attention_heads": count} for count in (1, 2, 4)],
    [{"hyperedges": ["global", "intra_modal", "inter_modal"]}, {"hyperedges": ["inter_modal"]}],
]
MODEL_OPTIONS = [
    [{"structure_encoder": name} for name in ("vhan", "hgnn", "gcn", "gat", "variational_gcn", "none")],
    [{"visual_features": names} for names in ([], ["pixels"], ["text"], ["box"], ["pixels", "text", "box"])],
    [{"hyperedges": ["pairwise"]}, {"hyperedges": ["global", "intra_modal"]}, {}],
    [{"entity_markers": "shared", "entity_pool": name} for name in ("mean", "first", "max", "marker", "mean_marker")],
    [{"variance_activation": name} for name in ("softplus", "relu", "exp", "elu1")],
    [{"variational": True}, {"variational": False}],
    [{"pair_features": "gaussian"}, {"pair_features": "interaction"}],
    [{}, {"node_type_embedding": True, "order_embedding": True}],
    [{}, {"direction_classifier": True, "label_smoothing": 0.1}],
    [{"kl_on": name} for name in ("final", "initial", "all")],
    [{"reconstruction_target": "initial"}, {"reconstruction_target": "features"}],
]


def has_its_variance(settings: dict) -> bool:
    """Returns whether settings that need a variance have one, as the config demands."""
    needs_one = settings.get("structure_encoder") == "variational_gcn" or "sample" in settings
    return settings.get("variational", True) or not needs_one


SWEEP = [*pairwise(VHAN_OPTIONS, has_its_variance), *pairwise(MODEL_OPTIONS, has_its_variance)]


def build(**settings) -> VMHANForRelationExtraction:
    """A tiny model that may know everything about an image."""
    return tiny_model(**{"visual_features": ALL_KNOWN, **settings})


@torch.no_grad()
def logits_of(model, batch: dict, **changes) -> torch.Tensor:
    return model(**{**batch, **changes}).logits


def without(batch: dict, names: list[str]) -> dict:
    return {name: value for name, value in batch.items() if name not in names}


def assert_same(ours: torch.Tensor, theirs: torch.Tensor):
    assert torch.allclose(ours, theirs, atol=1e-5), (ours - theirs).abs().max()


@pytest.fixture
def model():
    return build()


@pytest.fixture
def batch():
    return tiny_batch()


# One encoding for all pairs


@pytest.fixture
def encoded(model):
    """The `input_ids` of every call of the text encoder."""
    calls = []
    model.vmhan.text_model.register_forward_pre_hook(
        lambda module, args, kwargs: calls.append(kwargs["input_ids"]), with_kwargs=True
    )
    return calls


def test_eight_pairs_take_one_encoding_of_their_sentence_and_one_of_the_texts_about_their_image(model, encoded):
    entities = [(0, 3), (8, 11), (19, 22), (27, 32), (40, 43)]
    pairs = [(head, tail) for head in range(5) for tail in range(5) if head < tail][:8]
    batch = tiny_processor()(
        text=["Ada met Bob before Eve saw Grace beside Dan"],
        mentions=[entities],
        pairs=[pairs],
        images=[{"description": "two people", "objects": [{"label": "table"}, {"label": "lamp"}]}],
    )
    assert logits_of(model, batch).shape == (8, len(LABELS))
    assert [len(call) for call in encoded] == [1, 3]


def test_labels_of_several_images_are_encoded_once(model, encoded):
    images = [{"objects": [{"label": "man"}, {"label": "dog"}]}, {"objects": [{"label": "dog"}, {"label": "man"}]}]
    batch = tiny_processor()(
        text=["Ada met Bob", "Eve met Dan"], mentions=[[(0, 3), (8, 11)]] * 2, pairs=[[(0, 1)]] * 2, images=images
    )
    logits_of(model, batch)
    assert [len(call) for call in encoded] == [2, 2]


def test_each_distinct_phrase_keeps_its_own_state(model, batch):
    """However long and whatever else is encoded with it."""
    ids, mask = batch["visual_text_ids"], batch["visual_text_mask"]
    states, exists = model.vmhan._encode_phrases(ids, mask)
    assert torch.equal(exists, mask.any(dim=-1))
    for image, node in exists.nonzero().tolist():
        length = mask[image, node].sum()
        alone = model.vmhan.text_model(ids[image, node, :length][None]).last_hidden_state.mean(dim=1)[0]
        assert_same(states[image, node], alone)
    assert not states[~exists].any()


# What must not matter


#: Inputs to lengthen: along which dimension, with garbage, with ones and with zeros.
LENGTHENED = {
    "wordpieces": (1, ["input_ids"], [], ["attention_mask"]),
    "wordpieces of phrases": (
        2,
        ["visual_text_ids", "visual_phrase_ids"],
        [],
        ["visual_text_mask", "visual_phrase_mask"],
    ),
    "objects": (
        1,
        ["visual_states", "visual_text_ids", "object_boxes"],
        ["visual_state_mask", "visual_text_mask", "object_box_mask"],
        ["object_mask"],
    ),
    "text phrases": (1, ["text_phrase_spans"], [], ["text_phrase_mask"]),
    "visual phrases": (1, ["visual_phrase_ids"], [], ["visual_phrase_mask"]),
    "sentences": (0, ["input_ids"], ["attention_mask"], []),
    "images": (
        0,
        ["visual_states", "visual_text_ids", "object_boxes"],
        ["visual_state_mask", "visual_text_mask", "object_box_mask", "object_mask"],
        [],
    ),
}


def lengthen(batch: dict, what: str, by: int = 2) -> dict:
    """`batch` with more of `what` than its pairs use."""
    dim, garbage, ones, zeros = LENGTHENED[what]
    batch = dict(batch)
    for names, low, high in ((garbage, 5, 99), (ones, 1, 2), (zeros, 0, 1)):
        for name in names:
            shape = [by if axis == dim else size for axis, size in enumerate(batch[name].shape)]
            batch[name] = torch.cat([batch[name], torch.randint(low, high, shape).to(batch[name].dtype)], dim=dim)
    return batch


@pytest.mark.parametrize("what", LENGTHENED)
def test_padding_changes_nothing(what, model, batch):
    longer = lengthen(batch, what)
    assert_same(logits_of(model, longer), logits_of(model, batch))
    with torch.no_grad():
        ours, theirs = model(**batch), model(**longer)
    for part in ("loss", "reconstruction_loss", "kl_loss", "pair_variance"):
        assert_same(ours[part], theirs[part])


@pytest.mark.parametrize("what", ["sentences", "images"])
def test_the_order_of_sentences_and_images_does_not_matter(what, model, batch):
    names, pointer = (["input_ids", "attention_mask"], "pair_sentence")
    if what == "images":
        names, pointer = OF_IMAGES, "pair_image"
    turned = {**batch, **{name: batch[name].flip(0) for name in names}, pointer: 1 - batch[pointer]}
    assert_same(logits_of(model, turned), logits_of(model, batch))


def test_permuting_objects_permutes_their_states_and_leaves_the_logits_alone(model, batch):
    order = torch.tensor([2, 0, 1])
    with_image = torch.cat([torch.tensor([0]), 1 + order])
    turned = dict(batch)
    for name in OF_IMAGES:
        turned[name] = batch[name][:, order if name.startswith("object") else with_image]
    assert_same(logits_of(model, turned), logits_of(model, batch))
    with torch.no_grad():
        ours, theirs = (model.vmhan(**without(inputs, ["labels"])) for inputs in (batch, turned))
    objects = ours.node_types == OBJECT
    real = theirs.node_mask[:, objects]
    assert_same(ours.last_node_mean[:, objects][:, order][real], theirs.last_node_mean[:, objects][real])


@each_variant
def test_logits_of_a_pair_do_not_depend_on_the_other_pairs(variant, batch):
    model = build(**variant)
    together = logits_of(model, batch)
    for pair in range(len(together)):
        alone = {name: value[[pair]] if name in OF_PAIRS else value for name, value in batch.items()}
        assert_same(logits_of(model, alone)[0], together[pair])


@pytest.mark.parametrize("garbage", [1e6, float("nan")])
def test_masked_values_change_nothing(garbage, model, batch):
    dirty = dict(batch)
    for values, mask in (("visual_states", "visual_state_mask"), ("object_boxes", "object_box_mask")):
        dirty[values] = batch[values].masked_fill(~batch[mask][..., None], garbage)
    for ids, mask in (("input_ids", "attention_mask"), ("visual_text_ids", "visual_text_mask")):
        dirty[ids] = batch[ids].masked_fill(batch[mask] == 0, 7)
    assert_same(logits_of(model, dirty), logits_of(model, batch))


def test_every_form_of_no_image_gives_the_same(model, batch):
    pointed_nowhere = logits_of(model, batch, pair_image=torch.full_like(batch["pair_image"], -1))
    assert_same(logits_of(model, without(batch, VISUAL)), pointed_nowhere)
    assert_same(logits_of(model, without(batch, ["pair_image"])), pointed_nowhere)
    nothing_known = {
        name: torch.zeros_like(batch[name]) for name in batch if name.endswith("_mask") and name in VISUAL
    }
    assert_same(logits_of(model, {**batch, **nothing_known}), pointed_nowhere)
    assert not torch.allclose(logits_of(model, batch), pointed_nowhere)


def test_pairs_with_and_without_an_image_share_a_batch(model, batch):
    some = batch["pair_image"].clone()
    some[1] = -1
    mixed = logits_of(model, batch, pair_image=some)
    assert_same(mixed[[0, 2, 3, 4]], logits_of(model, batch)[[0, 2, 3, 4]])
    assert_same(mixed[1], logits_of(model, without(batch, VISUAL))[1])


def test_objects_that_are_not_selected_for_a_pair_are_as_good_as_absent(model, batch):
    selected = torch.ones(5, 3).bool()
    selected[0] = torch.tensor([True, False, False])
    logits = logits_of(model, batch, pair_object_mask=selected)
    assert_same(logits[1:], logits_of(model, batch)[1:])
    fewer = batch["object_mask"].clone()
    fewer[0] = selected[0]
    assert_same(logits[0], logits_of(model, batch, object_mask=fewer)[0])


# What must matter


def test_swapping_head_and_tail_changes_the_logits(model, batch):
    swapped = {**batch, "head_span": batch["tail_span"], "tail_span": batch["head_span"]}
    assert not torch.allclose(logits_of(model, swapped), logits_of(model, batch), atol=1e-4)


@pytest.mark.parametrize("name", ["visual_states", "visual_text_ids", "object_boxes", "visual_phrase_ids"])
def test_every_visual_input_reaches_the_logits(name, model, batch):
    changed = batch[name].flip(-1) if batch[name].is_floating_point() else (batch[name] + 1) % 99
    assert not torch.allclose(logits_of(model, batch, **{name: changed}), logits_of(model, batch), atol=1e-5)


def test_visual_phrases_join_images_without_other_text(batch):
    model, other = build(visual_features=["pixels"]), (batch["visual_phrase_ids"] + 1) % 99
    assert (model(**batch).node_types == VISUAL_PHRASE).sum() == 2
    assert not torch.allclose(logits_of(model, batch, visual_phrase_ids=other), logits_of(model, batch), atol=1e-5)


def test_a_model_without_visual_features_reads_no_visual_phrases(batch):
    model = build(visual_features=[])
    assert_same(logits_of(model, batch), logits_of(model, without(batch, VISUAL)))


def test_text_phrases_reach_the_logits(model, batch):
    fewer = without(batch, ["text_phrase_spans", "text_phrase_mask"])
    assert not torch.allclose(logits_of(model, fewer), logits_of(model, batch), atol=1e-5)


def test_each_way_to_pool_an_entity_gives_logits_of_its_own(batch):
    pools = ("mean", "first", "max", "marker", "mean_marker")
    results = [logits_of(build(entity_markers="shared", entity_pool=pool), batch) for pool in pools]
    for index, logits in enumerate(results):
        assert logits.isfinite().all()
        assert not any(torch.allclose(logits, other) for other in results[:index])


def test_without_a_structure_encoder_the_image_does_not_reach_the_logits(batch):
    model = build(structure_encoder="none")
    assert_same(logits_of(model, batch), logits_of(model, without(batch, VISUAL)))
    with torch.no_grad():
        output = model.vmhan(**without(batch, ["labels"]))
        initial = model.vmhan.gaussian_nodes(output.node_features)
    assert torch.equal(output.last_node_mean, initial.mean)
    assert torch.equal(output.last_node_variance, initial.variance)


# Training


@each_variant
def test_every_trainable_parameter_gets_a_gradient(variant, batch):
    model = build(**variant).train()
    model(**batch, direction_given=batch["pair_sentence"] == 0).loss.backward()
    missing = [name for name, parameter in model.named_parameters() if parameter.grad is None]
    # a key's bias adds the same to all scores of a softmax
    zero = [name for name, parameter in model.named_parameters() if parameter.grad is not None]
    zero = [name for name in zero if not model.get_parameter(name).grad.any() and not name.endswith("key.bias")]
    assert (missing, zero) == ([], [])


@pytest.mark.parametrize("settings", SWEEP, ids=str)
def test_every_two_settings_train_and_score_together(settings, batch):
    model = build(**settings)
    together, alone = logits_of(model, batch), {**batch}
    for name in OF_PAIRS:
        alone[name] = batch[name][[1]]
    assert_same(logits_of(model, alone)[0], together[1])
    model.train()
    output = model(**batch, direction_given=batch["pair_sentence"] == 0)
    output.loss.backward()
    assert output.loss.isfinite()
    unread = [name for name, parameter in model.named_parameters() if parameter.grad is None]
    assert not unread and all(parameter.grad.isfinite().all() for parameter in model.parameters())


@each_variant
def test_each_trainable_parameter_is_in_exactly_one_group(variant):
    model = build(**variant)
    model.vmhan.text_model.embeddings.requires_grad_(False)
    groups = parameter_groups(model, encoder_rate=1e-5, head_rate=1e-4, weight_decay=0.01)
    grouped = [id(parameter) for group in groups for parameter in group["params"]]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == {id(parameter) for parameter in model.parameters() if parameter.requires_grad}
    text = {id(parameter) for parameter in model.vmhan.text_model.parameters()}
    for group in groups:
        for parameter in group["params"]:
            assert group["lr"] == (1e-5 if id(parameter) in text else 1e-4)
            assert group["weight_decay"] == (0.01 if parameter.dim() > 1 else 0)


def test_text_about_the_image_tunes_the_text_encoder_only_on_request(batch):
    gradients = []
    for tune in (False, True):
        model = build(visual_features=["text"], tune_visual_text=tune, **NO_DROPOUT).train()
        model(**batch).loss.backward()
        gradients.append(model.vmhan.text_model.embeddings.word_embeddings.weight.grad)
    only_phrase = list(set(batch["visual_text_ids"][0, 0].tolist()) - set(batch["input_ids"].flatten().tolist()))
    assert not gradients[0][only_phrase].any()
    assert gradients[1][only_phrase].any()


def test_image_dropout_of_one_is_training_without_images(batch):
    model = build(image_dropout=1.0, **NO_DROPOUT).train()
    assert_same(logits_of(model, batch), logits_of(model, without(batch, VISUAL)))
    assert_same(logits_of(model.eval(), batch), logits_of(build(), batch))


def test_image_dropout_takes_its_share_of_the_images_for_all_their_pairs():
    torch.manual_seed(0)
    images = ImageInputs(visual_text_ids=torch.ones(2000, 3, 2))
    rates = {"image_dropout": 0.25, "description_dropout": 0.5}
    shown, images = drop_images(torch.arange(4000) // 2, images, **rates)
    text_mask = images.visual_text_mask
    hidden = shown.view(2000, 2) == -1
    assert torch.equal(hidden[:, 0], hidden[:, 1]) and 0.2 < hidden.float().mean() < 0.3
    assert not text_mask[hidden[:, 0]].any() and text_mask[~hidden[:, 0], 1:].all(), "an image is hidden whole"
    assert 0.45 < text_mask[~hidden[:, 0], 0].float().mean() < 0.55


def test_description_dropout_of_one_is_training_without_descriptions(batch):
    model = build(description_dropout=1.0, **NO_DROPOUT).train()
    names_alone = batch["visual_text_mask"].clone()
    names_alone[:, 0] = 0
    assert_same(logits_of(model, batch), logits_of(model, batch, visual_text_mask=names_alone))
    assert_same(logits_of(model.eval(), batch), logits_of(build(), batch))


def test_word_dropout_of_one_hides_every_word(batch):
    model = build(word_dropout=1.0, visual_features=[], **NO_DROPOUT).train()
    other = (batch["input_ids"] + 1) % model.config.text_config.vocab_size
    assert torch.equal(logits_of(model, batch), logits_of(model, batch, input_ids=other))
    assert not torch.equal(logits_of(model.eval(), batch), logits_of(model, batch, input_ids=other))


def test_hidden_images_are_not_encoded(batch):
    model, calls = build(visual_features=["text"], image_dropout=1.0).train(), []
    model.vmhan.text_model.register_forward_hook(lambda *call: calls.append(call))
    model(**without(batch, ["visual_phrase_ids", "visual_phrase_mask"]))
    assert len(calls) == 1, "the sentences alone"


def test_order_embedding_tells_which_mention_comes_first(batch):
    model = build(order_embedding=True)
    batch["head_span"][:], batch["tail_span"][:] = torch.tensor([1, 3]), torch.tensor([4, 5])
    turned = {"head_span": batch["tail_span"], "tail_span": batch["head_span"]}
    means = [model.vmhan(**without({**batch, **spans}, ["labels"])).node_features[:, :2] for spans in ({}, turned)]
    plain = [build().vmhan(**without({**batch, **spans}, ["labels"])).node_features[:, :2] for spans in ({}, turned)]
    first, second = model.vmhan.order_embedding.weight
    assert_same(means[0] - plain[0], torch.stack([first, second]).expand_as(means[0]))
    assert_same(means[1] - plain[1], torch.stack([second, first]).expand_as(means[1]))


def test_direction_classifier_speaks_for_pairs_whose_direction_is_given(batch):
    model = build(direction_classifier=True)
    given = torch.tensor([True, False, True, False, False])
    plain, directed = logits_of(model, batch), logits_of(model, batch, direction_given=given)
    assert torch.equal(plain[~given], directed[~given])
    assert (plain[given] - directed[given]).abs().amax(dim=1).min() > 1e-3
    assert torch.equal(logits_of(build(), batch), logits_of(build(), batch, direction_given=given))


def test_eval_is_deterministic(batch):
    model = build(sample="every_layer", image_dropout=0.5, description_dropout=0.5)
    assert torch.equal(logits_of(model, batch), logits_of(model, batch))
    model.train()
    assert not torch.equal(logits_of(model, batch), logits_of(model, batch))


@pytest.mark.parametrize("sample", ["classifier", "every_layer"])
def test_draws_are_for_training(sample, batch):
    model = build(sample=sample, **NO_DROPOUT)
    assert torch.equal(logits_of(model, batch), logits_of(build(), batch))
    model.train()
    assert not torch.equal(logits_of(model, batch), logits_of(model, batch))


def test_gradient_checkpointing_changes_no_gradient(batch):
    gradients = []
    renamed = hasattr(VMHANForRelationExtraction, "activation_checkpointing_enable")  # in transformers 5.23
    kind = "activation" if renamed else "gradient"
    for checkpointing in (False, True):
        model = build(tune_visual_text=True, **NO_DROPOUT).train()
        if checkpointing:
            getattr(model, f"{kind}_checkpointing_enable")()
            assert getattr(model.vmhan.text_model, f"is_{kind}_checkpointing")
        model(**batch).loss.backward()
        gradients.append(torch.cat([parameter.grad.flatten() for parameter in model.parameters()]))
    assert_same(*gradients)


@each_variant
def test_bfloat16_autocast_stays_finite(variant, batch):
    model = build(**variant).train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = model(**batch, direction_given=batch["pair_sentence"] == 0)
    output.loss.backward()
    assert output.loss.isfinite() and output.logits.isfinite().all()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@each_variant
def test_half_precision_weights_give_about_the_same_logits(variant, dtype, batch):
    model = build(**variant)
    precise = logits_of(model, batch)
    half = model.to(dtype)
    with torch.no_grad():
        output = half(**batch)
    assert output.loss.isfinite()
    assert (output.logits.float() - precise).abs().max() < 0.1 * precise.abs().max() + 0.05


# Outputs


def test_states_and_attentions_have_their_shapes_and_come_only_on_request(model, batch):
    asked = ["node_means", "node_variances", "hyperedge_means", "hyperedge_variances"]
    attentions = ["attentions", "node_attentions"]
    plain = model(**batch)
    assert not set(plain) & {*asked, *attentions, "read_attention", "node_flow"}

    output = model(**batch, output_hidden_states=True, output_attentions=True)
    nodes = 2 + 2 + 1 + 3 + 2
    for name in asked:
        items = nodes if name.startswith("node") else 5
        assert [state.shape for state in output[name]] == [(5, items, 16)] * 3
    for name in attentions:
        assert [attention.shape for attention in output[name]] == [(5, 2, 5, nodes)] * 2
    assert torch.equal(output.read_attention, output.attentions[-2]), "the last one feeds nothing"
    assert output.node_flow.shape == (5, nodes, nodes)
    assert output.incidence.shape == (5, nodes, 5) and output.node_mask.shape == (5, nodes)
    assert output.node_types.shape == (nodes,)
    variances = output.node_variances[-1][:, :2]
    assert torch.allclose(output.pair_variance, variances.mean(dim=(1, 2)))


def test_a_tuple_begins_with_the_loss_and_the_logits(model, batch):
    named = model(**batch)
    loss, logits, *_ = model(**batch, return_dict=False)
    assert torch.equal(loss, named.loss) and torch.equal(logits, named.logits)


def test_layers_come_as_gaussians_and_only_on_request(model, batch):
    layers = model(**batch, output_hidden_states=True).node_layers()
    assert [gaussian.variance.shape for gaussian in layers] == [(5, 10, 16)] * 3
    with pytest.raises(ValueError, match="output_hidden_states=True"):
        model(**batch).node_layers()


def test_without_a_structure_encoder_there_is_no_attention(batch):
    output = build(structure_encoder="none")(**batch, output_attentions=True, output_hidden_states=True)
    assert not output.attentions and output.read_attention is None and output.node_flow is None
    assert len(output.node_means) == 1


@pytest.mark.parametrize("base", [False, True])
def test_tuple_and_dict_outputs_agree(base, model, batch):
    inputs = {**without(batch, ["labels"]), "output_attentions": True, "output_hidden_states": True}
    model = model.vmhan if base else model
    named, by_argument = model(**inputs), model(**inputs, return_dict=False)
    model.config.return_dict = False
    by_config = model(**inputs)
    assert next(iter(named)) == ("last_node_mean" if base else "logits")
    for values in (by_argument, by_config):
        assert isinstance(values, tuple) and len(values) == len(named)
        for value, expected in zip(values, named.to_tuple(), strict=True):
            assert len(value) == len(expected)
            assert all(torch.equal(one, other) for one, other in zip(value, expected, strict=True))


# Saving and loading


@each_variant
def test_reloaded_model_gives_same_logits(variant, batch, tmp_path):
    model = build(**variant)
    model.save_pretrained(tmp_path)
    again, report = VMHANForRelationExtraction.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(report.values())
    assert torch.equal(logits_of(again, batch), logits_of(model, batch))


@each_variant
def test_weights_that_are_kept_elsewhere_give_the_same_logits(variant, batch):
    model = build(**variant)
    here = logits_of(model, batch)
    assert_same(logits_of(cpu_offload(model, execution_device="cpu"), batch), here)


def test_auto_classes_know_the_model(tmp_path, batch):
    folder = save_tiny_checkpoint(tmp_path, visual_features=ALL_KNOWN)
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    assert type(model) is VMHANForRelationExtraction
    assert type(AutoConfig.from_pretrained(folder)) is VMHANConfig
    assert type(AutoProcessor.from_pretrained(folder)) is VMHANProcessor
    base = AutoModel.from_pretrained(folder)
    assert type(base) is VMHANModel
    inputs = without(batch, ["labels"])
    assert torch.equal(base(**inputs).last_node_mean, model.vmhan(**inputs).last_node_mean)
    assert type(AutoModelForSequenceClassification.from_config(model.config)) is VMHANForRelationExtraction


@each_variant
def test_weights_that_a_checkpoint_lacks_start_afresh(variant, batch, tmp_path):
    """Loading builds the model without memory first; what nobody fills would be garbage."""
    fresh = build(**variant)
    fresh.save_pretrained(tmp_path)
    file = tmp_path / "model.safetensors"
    kept = {"classifier.bias": load_file(file)["classifier.bias"] + 1}
    save_file(kept, file, metadata={"format": "pt"})
    model = VMHANForRelationExtraction.from_pretrained(tmp_path)

    assert torch.equal(model.classifier.bias, kept["classifier.bias"])
    for name, parameter in model.named_parameters():
        start = fresh.get_parameter(name)
        assert parameter.shape == start.shape
        if name == "classifier.bias":
            continue
        if parameter.dim() == 1:
            assert torch.equal(parameter, start), name
        else:
            assert 0.6 < parameter.std() / fresh.config.initializer_range < 1.4, name
            assert parameter.abs().max() < 6 * fresh.config.initializer_range, name
    buffers = dict(fresh.named_buffers())
    assert buffers.keys() == dict(model.named_buffers()).keys()
    assert all(torch.equal(buffer, buffers[name]) for name, buffer in model.named_buffers())
    assert logits_of(model, batch).isfinite().all()


def test_one_missing_weight_leaves_the_others_as_saved(tmp_path):
    fresh = build()
    fresh.save_pretrained(tmp_path)
    file = tmp_path / "model.safetensors"
    name = "vmhan.visual_nodes.projections.box.weight"
    save_file({key: value for key, value in load_file(file).items() if key != name}, file, metadata={"format": "pt"})
    model, report = VMHANForRelationExtraction.from_pretrained(tmp_path, output_loading_info=True)
    assert set(report["missing_keys"]) == {name}
    for key, value in model.state_dict().items():
        assert torch.equal(value, fresh.state_dict()[key]) != (key == name)


def test_attention_of_the_text_encoder_can_be_chosen(tmp_path, batch):
    folder = save_tiny_checkpoint(tmp_path, visual_features=ALL_KNOWN)
    stock = VMHANForRelationExtraction.from_pretrained(folder)
    eager = VMHANForRelationExtraction.from_pretrained(folder, attn_implementation="eager")
    assert stock.vmhan.text_model.config._attn_implementation == "sdpa"
    assert eager.vmhan.text_model.config._attn_implementation == "eager"
    assert_same(logits_of(eager, batch), logits_of(stock, batch))
    stock.set_attn_implementation("eager")
    assert stock.vmhan.text_model.config._attn_implementation == "eager"


# Around a pretrained text encoder


@pytest.fixture
def text_folder(tmp_path):
    """A saved BERT with its tokenizer."""
    torch.manual_seed(5)
    folder = tmp_path / "text"
    BertModel(tiny_text_config()).save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return str(folder)


SETTINGS = {"num_attention_heads": 2, "visual_features": ["text"], "id2label": dict(enumerate(LABELS))}


def test_pretrained_weights_of_the_text_encoder_are_kept(text_folder, tmp_path):
    pretrained = BertModel.from_pretrained(text_folder).state_dict()
    model = VMHANForRelationExtraction.from_text_pretrained(text_folder, **SETTINGS)
    model.save_pretrained(tmp_path / "saved")
    again = VMHANForRelationExtraction.from_pretrained(tmp_path / "saved")
    for encoder in (model.vmhan.text_model, again.vmhan.text_model):
        weights = encoder.state_dict()
        assert pretrained.keys() - weights.keys() == {"pooler.dense.weight", "pooler.dense.bias"}
        assert all(torch.equal(weights[name], pretrained[name]) for name in weights)
    assert (model.config.hidden_size, model.config.num_labels) == (16, len(LABELS))


def test_a_pretrained_encoder_of_another_width_is_projected(text_folder, batch):
    model = VMHANForRelationExtraction.from_text_pretrained(text_folder, hidden_size=8, **SETTINGS).eval()
    assert model.vmhan.text_projection.weight.shape == (8, 16)
    assert logits_of(model, batch).isfinite().all()


def test_saved_settings_name_no_folder_of_this_machine(text_folder, tmp_path):
    model = VMHANForRelationExtraction.from_text_pretrained(text_folder, **SETTINGS)
    model.save_pretrained(tmp_path / "first")
    again = VMHANForRelationExtraction.from_pretrained(tmp_path / "first")
    again.save_pretrained(tmp_path / "second")
    processor = VMHANProcessor.from_text_pretrained(text_folder)
    processor.save_pretrained(tmp_path / "second")
    for path in [*Path(tmp_path / "first").glob("*.json"), *Path(tmp_path / "second").glob("*.json")]:
        assert str(tmp_path) not in path.read_text(encoding="utf-8"), path.name


def test_new_markers_start_like_their_given_tokens(text_folder, tmp_path):
    processor = VMHANProcessor.from_text_pretrained(text_folder, entity_markers="shared")
    model = VMHANForRelationExtraction.from_text_pretrained(text_folder, **SETTINGS)
    before = model.get_input_embeddings().weight.detach().clone()
    model.add_tokens(processor.tokenizer, processor.markers)
    after = model.get_input_embeddings().weight
    assert len(after) == len(before) + 2 and torch.equal(after[: len(before)], before)
    for marker, like in {"[E]": "[", "[/E]": "]"}.items():
        new, old = processor.tokenizer.convert_tokens_to_ids([marker, like])
        assert torch.equal(after[new], after[old])

    model.save_pretrained(tmp_path / "saved")
    saved = json.loads((tmp_path / "saved" / "config.json").read_text())
    assert saved["text_config"]["vocab_size"] == len(processor.tokenizer)
    again = VMHANForRelationExtraction.from_pretrained(tmp_path / "saved")
    assert torch.equal(again.get_input_embeddings().weight, after)


def test_tokens_that_the_encoder_has_room_for_need_no_new_rows():
    processor = tiny_processor(entity_markers="pair")
    model = tiny_model(entity_markers="pair")
    model.add_tokens(processor.tokenizer, processor.markers)
    assert model.get_input_embeddings().num_embeddings == len(processor.tokenizer)
    ids = processor.tokenizer.convert_tokens_to_ids(["[T]", "<"])
    new, old = model.get_input_embeddings().weight[ids]
    assert torch.equal(new, old)


def test_a_built_text_encoder_may_be_passed_in():
    torch.manual_seed(6)
    text_model = BertModel(tiny_text_config())
    weights = text_model.embeddings.word_embeddings.weight.detach().clone()
    model = VMHANForRelationExtraction(tiny_config(), text_model=text_model)
    assert torch.equal(model.get_input_embeddings().weight, weights)
    assert model.config.text_config is model.vmhan.text_model.config
