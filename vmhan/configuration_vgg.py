"""Settings of a VGG, the paper's vision encoder, which `transformers` lacks."""

from dataclasses import field

from huggingface_hub.dataclasses import strict
from transformers import AutoConfig, PreTrainedConfig

#: Channels of the convolutions of VGG16; "M" is a max pooling.
VGG16_LAYERS = (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M")


@strict
class VGGConfig(PreTrainedConfig):
    """Holds the settings that rebuild a VGG of torchvision without its weights.

    Args:
        layers (`list[int | str]`, *optional*, defaults to VGG16's):
            Channels of each convolution, and `"M"` for a max pooling, as torchvision writes them.
        batch_norm (`bool`, *optional*, defaults to `False`):
            Whether a batch normalization follows each convolution, as in `vgg16_bn`.
        hidden_size (`int`, *optional*, defaults to 4096):
            Width of fc6 and fc7.
    """

    model_type = "vmhan_vgg"

    layers: list[int | str] = field(default_factory=lambda: list(VGG16_LAYERS))
    batch_norm: bool = False
    hidden_size: int = 4096

    def validate_layers(self):
        """Checks that a convolution comes first, and that all else is a width or "M"."""
        known = all(layer == "M" if isinstance(layer, str) else layer > 0 for layer in self.layers)
        if not self.layers or self.layers[0] == "M" or not known:
            raise ValueError(f'layers {self.layers} must be positive widths and "M", a width first.')


# Here, not with the other classes: a copy of these files on the Hub reads the settings inside a VM-HAN's by it
AutoConfig.register(VGGConfig.model_type, VGGConfig, exist_ok=True)

__all__ = ["VGGConfig"]
