"""The model with a vision encoder: what learns, what is encoded how often, and what survives a reload."""

import copy

import numpy as np
import pytest
import torch
from huggingface_hub.errors import StrictDataclassError
from PIL import Image
from tiny import (
    LABELS,
    VISUAL_WIDTH,
    tiny_batch,
    tiny_image_processor,
    tiny_model,
    tiny_processor,
    tiny_text_config,
    tiny_tokenizer,
    tiny_torchvision_vgg,
    tiny_vgg_config,
)
from transformers import (
    AutoModel,
    AutoModelForSequenceClassification,
    BertModel,
    CLIPVisionConfig,
    ResNetConfig,
    ViTConfig,
    pipeline,
)

from train.optimization import parameter_groups
from vmhan import VMHANConfig, VMHANForRelationExtraction, VMHANModel, VMHANProcessor

VIT = {"hidden_size": VISUAL_WIDTH, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
VIT |= {"image_size": 16, "patch_size": 8, "initializer_range": 0.3}
ENCODERS = {
    "vgg": tiny_vgg_config(),
    "vgg_bn": tiny_vgg_config(batch_norm=True),
    "vit": ViTConfig(**VIT),
    "clip": CLIPVisionConfig(**VIT),
    "resnet": ResNetConfig(embedding_size=8, hidden_sizes=[8, VISUAL_WIDTH], depths=[1, 1]),
    "backbone": ResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, VISUAL_WIDTH],
        depths=[1, 1],
        out_features=["stage2"],
        architectures=["ResNetBackbone"],
    ),
}
each_encoder = pytest.mark.parametrize("encoder", ENCODERS)


def build(encoder="vgg", **settings) -> VMHANForRelationExtraction:
    """A model that sees pixels alone, in eval mode."""
    settings = {"visual_features": ["pixels"], "vision_config": copy.deepcopy(ENCODERS[encoder]), **settings}
    model = tiny_model(**settings)
    if encoder.startswith("vgg"):  # fresh ones are so small that differences drown
        vgg = tiny_torchvision_vgg(batch_norm=encoder == "vgg_bn")
        model.vmhan.vision_model.load_state_dict(vgg.state_dict(), strict=False)
    return model


def pixel_batch(seed=0) -> dict[str, torch.Tensor]:
    """`tiny_batch` with pixels in place of states."""
    batch = tiny_batch(seed=seed)
    generator = torch.Generator().manual_seed(seed)
    states = batch.pop("visual_states")
    return {**batch, "pixel_values": torch.randn(*states.shape[:2], 3, 16, 16, generator=generator)}


@torch.no_grad()
def logits_of(model, batch, **changes) -> torch.Tensor:
    return model(**{**batch, **changes}).logits


def encoded_by(model) -> list[int]:
    """How many images each call of the vision encoder gets, as the calls come."""
    calls = []
    model.vmhan.vision_model.register_forward_pre_hook(
        lambda _, args, kwargs: calls.append(len(kwargs["pixel_values"])), with_kwargs=True
    )
    return calls


# Pixels


def test_pixels_reach_the_logits():
    model, batch = build(), pixel_batch()
    other = torch.randn_like(batch["pixel_values"])
    assert not torch.allclose(logits_of(model, batch), logits_of(model, batch, pixel_values=other), atol=1e-4)


@each_encoder
def test_pixels_and_states_made_of_them_give_the_same_logits(encoder):
    model, batch = build(encoder), pixel_batch()
    with torch.no_grad():
        states = model.vmhan.encode_images(batch["pixel_values"], batch["visual_state_mask"])
    precomputed = logits_of(model, batch, pixel_values=None, visual_states=states)
    assert torch.allclose(logits_of(model, batch), precomputed, atol=1e-5)


def test_padding_crops_change_nothing():
    model, batch = build(), pixel_batch()
    pixels, mask = batch["pixel_values"], batch["visual_state_mask"]
    garbage = torch.full_like(pixels[:, :2], float("nan"))
    longer = {
        "pixel_values": torch.cat([pixels.masked_fill(~mask[..., None, None, None], float("nan")), garbage], dim=1),
        "visual_state_mask": torch.cat([mask, torch.zeros(2, 2).bool()], dim=1),
        "object_mask": torch.cat([batch["object_mask"], torch.zeros(2, 2).bool()], dim=1),
    }
    assert torch.allclose(logits_of(model, batch, **longer), logits_of(model, batch), atol=1e-6)


def test_without_a_mask_all_objects_are_seen():
    model, batch = build(), pixel_batch()
    everywhere = torch.nn.functional.pad(batch["object_mask"], (1, 0), value=True)
    seen = logits_of(model, batch, visual_state_mask=None)
    assert torch.allclose(seen, logits_of(model, batch, visual_state_mask=everywhere), atol=1e-6)


def test_an_image_is_encoded_once_for_all_its_pairs():
    model = build()
    calls = encoded_by(model)
    processor = tiny_processor(image_processor=tiny_image_processor())
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8))
    boxes = [{"box": (0.3, 0.5, 0.4, 0.8)}, {"box": (0.7, 0.5, 0.4, 0.8)}, {"box": (0.3, 0.5, 0.4, 0.8)}]
    entities = [(0, 3), (8, 11), (19, 22), (27, 32), (40, 43)]
    pairs = [(head, tail) for head in range(5) for tail in range(5) if head != tail]
    batch = processor(
        text=["Ada met Bob before Eve saw Grace beside Dan"] * 2,
        mentions=[entities] * 2,
        pairs=[pairs] * 2,
        images=[{"image": picture, "objects": boxes}, {"image": picture.copy(), "objects": boxes}],
    )
    assert logits_of(model, batch).shape == (40, len(LABELS))
    assert calls == [3]  # the image and two crops: two objects have one box


def test_images_that_no_pair_looks_at_are_not_encoded():
    model, batch = build(), pixel_batch()
    calls = encoded_by(model)
    logits_of(model, batch, pair_image=torch.tensor([-1, 0, -1, 0, 0]))
    logits_of(model, batch, pair_image=torch.full((5,), -1))
    assert calls == [4]


def test_hidden_images_are_not_encoded():
    model = build(image_dropout=1.0).train()
    calls = encoded_by(model)
    logits_of(model, pixel_batch())
    assert not calls


def test_a_model_without_pixels_among_its_features_leaves_them_alone():
    model, batch = tiny_model(), pixel_batch()
    assert torch.equal(logits_of(model, batch), logits_of(model, batch, pixel_values=None))


def test_pixels_without_an_encoder_are_refused():
    with pytest.raises(ValueError, match=r"no vision encoder.*from_text_vision_pretrained"):
        logits_of(tiny_model(visual_features=["pixels"]), pixel_batch())


def test_pixels_beside_states_are_refused():
    states = tiny_batch()["visual_states"]
    with pytest.raises(ValueError, match="pixel_values or visual_states"):
        logits_of(build(), pixel_batch(), visual_states=states)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_sees_about_the_same(dtype):
    model, batch = build(), pixel_batch()
    single = logits_of(model, batch)
    assert torch.allclose(logits_of(model.to(dtype), batch).float(), single, atol=0.05)


# What learns


@each_encoder
def test_a_frozen_encoder_gets_no_gradient_and_stays_as_in_evaluation(encoder):
    model, batch = build(encoder), pixel_batch()
    before = {name: tensor.clone() for name, tensor in model.vmhan.vision_model.state_dict().items()}
    model.train()
    vision = model.vmhan.vision_model
    assert model.vmhan.text_model.training and not any(module.training for module in vision.modules())
    model(**batch).loss.backward()
    assert all(parameter.grad is None and not parameter.requires_grad for parameter in vision.parameters())
    assert all(torch.equal(tensor, before[name]) for name, tensor in vision.state_dict().items())
    assert model.vmhan.visual_nodes.projections["pixels"].weight.grad.any()


@each_encoder
def test_a_tuned_encoder_learns(encoder):
    model = build(encoder, tune_vision=True).train()
    assert all(module.training for module in model.vmhan.vision_model.modules())
    model(**pixel_batch()).loss.backward()
    gradients = [parameter.grad for parameter in model.vmhan.vision_model.parameters()]
    assert sum(gradient is not None and bool(gradient.any()) for gradient in gradients) > len(gradients) / 2


@pytest.mark.parametrize("tuned", [False, True])
def test_each_trainable_parameter_is_in_exactly_one_group_and_encoders_learn_at_their_rate(tuned):
    model = build(tune_vision=tuned)
    groups = parameter_groups(model, encoder_rate=1e-5, head_rate=1e-4, weight_decay=0.01)
    rates = {id(parameter): group["lr"] for group in groups for parameter in group["params"]}
    trainable = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert sum(len(group["params"]) for group in groups) == len(rates) == len(trainable)
    assert any("vision_model." in name for name in trainable) == tuned
    for name, parameter in trainable.items():
        assert rates[id(parameter)] == (1e-5 if "text_model." in name or "vision_model." in name else 1e-4)


# Weights that come from elsewhere, and go elsewhere


@pytest.fixture
def parts(tmp_path) -> tuple[str, str]:
    """A text encoder's folder and a file of torchvision weights."""
    torch.manual_seed(0)
    tiny_tokenizer().save_pretrained(tmp_path / "text")
    BertModel(tiny_text_config()).save_pretrained(tmp_path / "text")
    torch.save(tiny_torchvision_vgg().state_dict(), tmp_path / "vgg.pth")
    return str(tmp_path / "text"), str(tmp_path / "vgg.pth")


def test_pretrained_weights_of_both_encoders_are_kept(parts):
    model = VMHANForRelationExtraction.from_text_vision_pretrained(*parts, num_attention_heads=2)
    assert (model.config.visual_features, model.config.visual_hidden_size) == (["pixels"], VISUAL_WIDTH)
    vgg, text = tiny_torchvision_vgg().state_dict(), BertModel.from_pretrained(parts[0]).state_dict()
    assert all(torch.equal(tensor, vgg[name]) for name, tensor in model.vmhan.vision_model.state_dict().items())
    assert all(torch.equal(tensor, text[name]) for name, tensor in model.vmhan.text_model.state_dict().items())


@each_encoder
@pytest.mark.parametrize("auto", [VMHANForRelationExtraction, AutoModelForSequenceClassification])
def test_reloaded_model_gives_the_same_logits_and_stays_frozen(encoder, auto, tmp_path):
    model, batch = build(encoder), pixel_batch()
    model.save_pretrained(tmp_path)
    again, report = auto.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(report.values()), report
    assert type(again.vmhan.vision_model) is type(model.vmhan.vision_model)
    assert torch.equal(logits_of(again, batch), logits_of(model, batch))
    for (name, ours), (_, theirs) in zip(model.named_buffers(), again.named_buffers(), strict=True):
        assert torch.equal(ours, theirs), name
    assert not any(parameter.requires_grad for parameter in again.vmhan.vision_model.parameters())
    assert all(parameter.requires_grad for parameter in again.vmhan.text_model.parameters())


def test_a_tuned_encoder_is_tuned_after_a_reload(tmp_path):
    build(tune_vision=True).save_pretrained(tmp_path)
    again = VMHANForRelationExtraction.from_pretrained(tmp_path).train()
    assert all(parameter.requires_grad for parameter in again.parameters()) and again.vmhan.vision_model.training


def test_the_base_model_loads_from_the_classifier_of_relations(tmp_path):
    model, batch = build(), pixel_batch()
    model.save_pretrained(tmp_path)
    batch.pop("labels")
    with torch.no_grad():
        ours, theirs = model.vmhan(**batch), AutoModel.from_pretrained(tmp_path)(**batch)
    assert torch.equal(ours.last_node_mean, theirs.last_node_mean)


def test_missing_weights_are_made_and_not_left_as_garbage(tmp_path):
    model = build()
    state = {name: tensor for name, tensor in model.state_dict().items() if "vision_model" not in name}
    model.save_pretrained(tmp_path, state_dict=state)
    again = VMHANForRelationExtraction.from_pretrained(tmp_path)
    assert all(0 <= parameter.abs().max() < 10 for parameter in again.vmhan.vision_model.parameters())
    assert again.vmhan.vision_model.classifier[0].weight.std() == pytest.approx(0.01, rel=0.2)


def test_config_keeps_the_encoder_through_json(tmp_path):
    for config in (build().config, VMHANConfig(vision_config={"model_type": "vmhan_vgg"}), VMHANConfig()):
        config.save_pretrained(tmp_path)
        again = VMHANConfig.from_pretrained(tmp_path)
        assert type(again.vision_config) is type(config.vision_config)
        assert again.to_dict() == config.to_dict()


def test_an_encoder_that_nothing_reads_is_refused():
    with pytest.raises(StrictDataclassError, match='vision_config needs "pixels"'):
        build(visual_features=["text"])


def test_an_encoder_of_another_width_is_refused():
    with pytest.raises(StrictDataclassError, match="visual_hidden_size 9 is not the 8"):
        build(visual_hidden_size=9)


def test_processor_of_both_encoders_makes_pixels_of_the_papers_size(parts):
    processor = VMHANProcessor.from_text_vision_pretrained(*parts, max_length=20)
    batch = processor(
        ["Ada met Bob"], [[(0, 3), (8, 11)]], [[(0, 1)]], [{"image": Image.new("RGB", (30, 20), "white")}]
    )
    assert processor.max_length == 20 and batch["pixel_values"].shape == (1, 1, 3, 224, 224)
    white = (1 - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor([0.229, 0.224, 0.225])
    assert torch.allclose(batch["pixel_values"][0, 0, :, 100, 100], white, atol=1e-5)


def test_the_pipeline_looks_at_the_image(parts, tmp_path, caplog):
    model = VMHANForRelationExtraction.from_text_vision_pretrained(
        *parts, num_attention_heads=2, initializer_range=0.3, id2label=dict(enumerate(LABELS))
    )
    model.config.label2id = {label: i for i, label in enumerate(LABELS)}
    model.save_pretrained(tmp_path / "model")
    VMHANProcessor.from_text_vision_pretrained(*parts).save_pretrained(tmp_path / "model")
    extract = pipeline("multimodal-relation-extraction", model=str(tmp_path / "model"))
    pixels = np.random.default_rng(0).integers(0, 256, (20, 40, 3), dtype=np.uint8)
    request = {
        "text": "Ada met Bob",
        "entities": ["Ada", "Bob"],
        "objects": [{"label": "dog", "box": [10, 5, 30, 15]}],
    }
    answers = [extract({**request, "image": Image.fromarray(image)}) for image in (pixels, 255 - pixels)]
    scores = [list(answer["pairs"][0]["scores"].values()) for answer in answers]
    assert np.abs(np.subtract(*scores)).max() > 1e-4
    assert {node["label"] for node in answers[0]["pairs"][0]["objects"]} == {"image", "dog"}
    assert "changes nothing" not in caplog.text


def test_a_model_of_the_base_class_takes_a_built_encoder():
    model = build()
    vision = model.vmhan.vision_model
    again = VMHANModel(model.config, vision_model=vision)
    assert again.vision_model is vision and again.config.vision_config is vision.config
