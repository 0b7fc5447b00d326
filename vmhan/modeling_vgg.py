"""VGG up to fc7, the paper's features of image and objects.

The parts have the names of torchvision, so that its weights fit as they are.
"""

import torch
from torch import nn
from torchvision.models.vgg import make_layers
from transformers import PreTrainedModel
from transformers import initialization as init
from transformers.modeling_outputs import BaseModelOutputWithPooling

from .configuration_vgg import VGGConfig

#: Side of the last feature map that fc6 reads.
POOLED_SIZE = 7


class VGGModel(PreTrainedModel):
    """Computes fc7 after ReLU: torchvision's VGG without its last layer."""

    config_class = VGGConfig
    base_model_prefix = "vgg"
    main_input_name = "pixel_values"
    input_modalities = ["image"]
    # without attention any implementation of it will do
    _supports_sdpa = True
    _supports_flash_attn = True
    _supports_flex_attn = True

    def __init__(self, config: VGGConfig):
        super().__init__(config)
        channels = [layer for layer in config.layers if isinstance(layer, int)]
        self.features = make_layers(config.layers, config.batch_norm)
        self.avgpool = nn.AdaptiveAvgPool2d(POOLED_SIZE)
        self.classifier = nn.Sequential(
            nn.Linear(channels[-1] * POOLED_SIZE**2, config.hidden_size),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(config.hidden_size, config.hidden_size),
            nn.ReLU(inplace=True),
        )
        self.post_init()

    def forward(self, pixel_values: torch.FloatTensor, **kwargs) -> BaseModelOutputWithPooling:
        """Computes the last feature map, and fc7 as `pooler_output` (images, hidden).

        Args:
            pixel_values: (images, 3, height, width).
        """
        features = self.features(pixel_values)  # (images, channels, height / 32, width / 32)
        fc7 = self.classifier(self.avgpool(features).flatten(1))  # (images, hidden)
        return BaseModelOutputWithPooling(last_hidden_state=features, pooler_output=fc7)

    def _init_weights(self, module: nn.Module):
        """Initializes weights as torchvision does: through 13 layers of smaller ones no signal would pass."""
        super()._init_weights(module)
        if isinstance(module, nn.Conv2d):
            init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            init.normal_(module.weight, std=0.01)


__all__ = ["VGGModel"]
