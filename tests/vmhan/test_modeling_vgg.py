"""Our VGG is torchvision's, up to fc7."""

import pytest
import torch
from huggingface_hub.errors import StrictDataclassError
from tiny import VISUAL_WIDTH, tiny_torchvision_vgg, tiny_vgg_config
from torchvision import models
from transformers import AutoConfig, AutoModel

from vmhan import VGGConfig, VGGModel
from vmhan.vision_encoder import _vgg_config


def shapes(state) -> dict:
    return {name: tensor.shape for name, tensor in state.items() if not name.startswith("classifier.6.")}


@pytest.mark.parametrize("name", models.list_models(include="vgg*"))
def test_weights_of_every_vgg_of_torchvision_fit(name):
    with torch.device("meta"):  # names and shapes, without the memory
        theirs = models.get_model(name).state_dict()
        assert shapes(VGGModel(_vgg_config(theirs, name)).state_dict()) == shapes(theirs)


def test_the_default_is_vgg16():
    with torch.device("meta"):
        assert shapes(VGGModel(VGGConfig()).state_dict()) == shapes(models.vgg16().state_dict())


def test_a_reloaded_vgg_gives_the_same(tmp_path):
    torch.manual_seed(0)
    model = VGGModel(tiny_vgg_config(batch_norm=True)).eval()
    model.save_pretrained(tmp_path)
    again = AutoModel.from_pretrained(tmp_path)
    pixels = torch.randn(2, 3, 20, 30)
    assert type(again) is VGGModel and type(AutoConfig.from_pretrained(tmp_path)) is VGGConfig
    assert torch.equal(again(pixels).pooler_output, model(pixels).pooler_output)


def test_fresh_weights_carry_the_picture_to_the_end():
    torch.manual_seed(0)
    model = VGGModel(VGGConfig(layers=[8, 8, "M"] * 5, hidden_size=VISUAL_WIDTH)).eval()
    black, noise = (
        model(torch.zeros(1, 3, 64, 64)).last_hidden_state,
        model(torch.randn(1, 3, 64, 64)).last_hidden_state,
    )
    assert not torch.allclose(black, noise, atol=1e-2)


def test_dropout_acts_in_training_only():
    model = VGGModel(tiny_vgg_config())
    model.load_state_dict({k: v for k, v in tiny_torchvision_vgg().state_dict().items() if "classifier.6" not in k})
    pixels = torch.randn(1, 3, 20, 20)
    model.eval()
    assert torch.equal(model(pixels).pooler_output, model(pixels).pooler_output)
    model.train()
    assert any(not torch.equal(model(pixels).pooler_output, model(pixels).pooler_output) for _ in range(20))


@pytest.mark.parametrize("layers", [[], ["M", 4], [4, "X"], [4, -1], [2.5], "64M"])
def test_layers_that_are_none_are_refused(layers):
    with pytest.raises(StrictDataclassError, match="layers"):
        VGGConfig(layers=layers)
