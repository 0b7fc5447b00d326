"""Vision encoders by name: torchvision's weights, state dict files, and encoders of `transformers`."""

from urllib.error import URLError

import pytest
import torch
from safetensors.torch import save_file
from tiny import VISUAL_WIDTH, tiny_torchvision_vgg, tiny_vgg_config
from transformers import (
    AutoBackbone,
    AutoModel,
    CLIPConfig,
    CLIPImageProcessor,
    CLIPModel,
    ResNetConfig,
    ViTConfig,
    ViTImageProcessor,
)

from vmhan import VGGModel
from vmhan.vision_encoder import (
    build_vision_model,
    encode_distinct,
    encode_pixels,
    feature_width,
    load_image_processor,
    load_vision_model,
)

PIXELS = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
TRANSFORMER = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
VIT = {**TRANSFORMER, "image_size": 32, "patch_size": 8}


def fc7(vgg, pixels):
    """As torchvision's own forward goes, up to fc7 after its ReLU."""
    return vgg.classifier[:5](vgg.avgpool(vgg.features(pixels)).flatten(1))


@pytest.mark.parametrize("kind", ["weights.pth", "weights.safetensors"])
@pytest.mark.parametrize("batch_norm", [False, True])
@torch.no_grad()
def test_a_state_dict_of_torchvision_gives_its_fc7(kind, batch_norm, tmp_path):
    vgg = tiny_torchvision_vgg(batch_norm=batch_norm)
    path = tmp_path / kind
    save_file(vgg.state_dict(), path) if path.suffix == ".safetensors" else torch.save(vgg.state_dict(), path)
    model = load_vision_model(str(path))
    assert not model.training and model.config.layers == tiny_vgg_config().layers
    assert torch.equal(encode_pixels(model, PIXELS), fc7(vgg, PIXELS)) and fc7(vgg, PIXELS).std() > 0
    assert feature_width(model, load_image_processor(str(path))) == VISUAL_WIDTH


@torch.no_grad()
def test_a_name_of_torchvision_takes_its_weights_from_the_cache_of_torch(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    vgg = tiny_torchvision_vgg()
    (tmp_path / "checkpoints").mkdir()
    torch.save(vgg.state_dict(), tmp_path / "checkpoints" / "vgg16-397923af.pth")
    assert torch.equal(encode_pixels(load_vision_model("vgg16"), PIXELS), fc7(vgg, PIXELS))


def test_weights_that_cannot_be_fetched_say_from_where_and_where_to_put_them(tmp_path, monkeypatch):
    def offline(*args, **kwargs):
        raise URLError("no network")

    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    with pytest.raises(OSError, match=rf"(?s)vgg16.*{tmp_path}.*https://.*no network.*Put that file there"):
        load_vision_model("vgg16")


@pytest.mark.parametrize(
    "state", [{"embeddings.weight": torch.zeros(2)}, {}, {"features.0.weight": torch.zeros(4, 3, 3, 3)}]
)
def test_a_file_that_holds_no_vgg_is_refused(state, tmp_path):
    torch.save(state, tmp_path / "weights.pth")
    with pytest.raises(ValueError, match=r"weights\.pth.*is no VGG"):
        load_vision_model(str(tmp_path / "weights.pth"))


def test_a_vgg_with_a_part_missing_is_refused(tmp_path):
    state = tiny_torchvision_vgg().state_dict()
    del state["features.3.bias"]
    torch.save(state, tmp_path / "weights.pth")
    with pytest.raises(ValueError, match=r"features\.3\.bias"):
        load_vision_model(str(tmp_path / "weights.pth"))


def test_a_file_that_would_run_code_is_refused(tmp_path):
    torch.save(tiny_torchvision_vgg(), tmp_path / "model.pth")
    with pytest.raises(Exception, match=r"[Ww]eights.only"):
        load_vision_model(str(tmp_path / "model.pth"))


@pytest.fixture(params=["vit", "resnet", "clip", "backbone"])
def encoder(request, tmp_path):
    """Folder of an encoder of `transformers`, and what it makes of `PIXELS`."""
    torch.manual_seed(0)
    if request.param == "vit":
        model = AutoModel.from_config(ViTConfig(**VIT)).eval()
        features = model(PIXELS).pooler_output
    elif request.param == "resnet":
        model = AutoModel.from_config(ResNetConfig(embedding_size=8, hidden_sizes=[8, 12], depths=[1, 1])).eval()
        features = model(PIXELS).pooler_output.flatten(1)
    elif request.param == "clip":
        model = CLIPModel(CLIPConfig(text_config={**TRANSFORMER, "vocab_size": 9}, vision_config=VIT)).eval()
        features = model.vision_model(PIXELS).pooler_output
    else:
        config = ResNetConfig(embedding_size=8, hidden_sizes=[8, 12], depths=[1, 1], out_features=["stage1"])
        model = AutoBackbone.from_config(config).eval()
        features = model(PIXELS).feature_maps[-1].mean(dim=(2, 3))
    model.save_pretrained(tmp_path)
    crop = {"shortest_edge": 32}, {"height": 32, "width": 32}
    kind = CLIPImageProcessor(size=crop[0], crop_size=crop[1]) if request.param == "clip" else None
    (kind or ViTImageProcessor(size=crop[1])).save_pretrained(tmp_path)
    return str(tmp_path), features.detach()


@torch.no_grad()
def test_an_encoder_of_transformers_stands_in_by_name(encoder):
    folder, features = encoder
    model = load_vision_model(folder)
    assert torch.allclose(encode_pixels(model, PIXELS), features, atol=1e-6)
    assert feature_width(model, load_image_processor(folder)) == features.shape[-1]
    assert model.config.name_or_path == ""


@torch.no_grad()
def test_an_encoder_is_rebuilt_from_its_config(encoder):
    folder, features = encoder
    model = load_vision_model(folder)
    again = build_vision_model(
        type(model.config).from_dict({**model.config.to_dict(), "architectures": [type(model).__name__]})
    )
    again.load_state_dict(model.state_dict())
    assert torch.allclose(encode_pixels(again.eval(), PIXELS), features, atol=1e-6)


@pytest.mark.parametrize("load", [load_vision_model, load_image_processor])
def test_a_name_that_is_nothing_is_named(load, tmp_path):
    with pytest.raises(OSError, match=rf'"{tmp_path}/vgg" is no VGG'):
        load(f"{tmp_path}/vgg")


# Each distinct picture once


def test_only_what_exists_is_encoded_and_equal_pictures_once():
    torch.manual_seed(0)
    model = VGGModel(tiny_vgg_config()).eval()
    calls = []
    model.register_forward_pre_hook(
        lambda _, args, kwargs: calls.append(len(kwargs["pixel_values"])), with_kwargs=True
    )
    pixels = torch.randn(2, 3, 3, 16, 16)
    pixels[1, 1] = pixels[0, 2]
    pixels[1, 2] = float("nan")
    mask = torch.tensor([[True, True, True], [True, True, False]])
    states = encode_distinct(model, pixels, mask, VISUAL_WIDTH)
    assert calls == [4]
    assert torch.equal(states[1, 1], states[0, 2]) and not states[1, 2].any()
    for image, row in mask.nonzero().tolist():
        alone = encode_pixels(model, pixels[image, row][None])[0]
        assert torch.allclose(states[image, row], alone, atol=1e-6)


def test_nothing_to_encode_is_zero():
    states = encode_distinct(VGGModel(tiny_vgg_config()), torch.randn(1, 2, 3, 16, 16), torch.zeros(1, 2).bool(), 8)
    assert states.shape == (1, 2, 8) and not states.any()
