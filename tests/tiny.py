"""A VM-HAN small enough for tests: random weights, a BERT of width 16, letters for wordpieces."""

import string

import torch
import torchvision
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from torch import nn
from torchvision.models.vgg import make_layers
from transformers import BertConfig, PreTrainedTokenizerFast, ViTImageProcessor

from vmhan import VGGConfig, VMHANConfig, VMHANForRelationExtraction, VMHANProcessor

LABELS = [
    "None",
    "/per/per/peer",
    "/per/org/member_of",
    "/loc/loc/contain",
    "/per/misc/present_in",
    "/org/loc/locate_at",
    "/per/loc/place_of_residence",
    "/misc/loc/held_on",
]
SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
VISUAL_WIDTH = 8
VGG_LAYERS = [4, "M", 6, 8, "M"]


def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """WordPiece over single letters and digits, so that it knows every English word without a vocabulary file."""
    letters = string.ascii_lowercase + string.digits + string.punctuation
    pieces = [*SPECIAL_TOKENS, *letters, *(f"##{letter}" for letter in letters)]
    tokenizer = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[("[CLS]", pieces.index("[CLS]")), ("[SEP]", pieces.index("[SEP]"))],
    )
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **dict(zip(names, SPECIAL_TOKENS, strict=True)))


def tiny_processor(**settings) -> VMHANProcessor:
    """A processor around `tiny_tokenizer`; `settings` are its own."""
    return VMHANProcessor(tiny_tokenizer(), **settings)


def tiny_image_processor() -> ViTImageProcessor:
    """Squeezes pictures into 16 x 16 pixels."""
    return ViTImageProcessor(size={"height": 16, "width": 16})


def tiny_torchvision_vgg(seed: int = 0, batch_norm: bool = False) -> torchvision.models.VGG:
    """torchvision's class with random weights and few of them, in eval mode."""
    torch.manual_seed(seed)
    with torch.device("meta"):  # its classifier of 123 million parameters is never allocated
        vgg = torchvision.models.VGG(nn.Identity())
    vgg.features = make_layers(VGG_LAYERS, batch_norm)
    layers = [nn.Linear(8 * 7 * 7, VISUAL_WIDTH), nn.Linear(VISUAL_WIDTH, VISUAL_WIDTH), nn.Linear(VISUAL_WIDTH, 10)]
    rest = [nn.ReLU(), nn.Dropout()]
    vgg.classifier = nn.Sequential(layers[0], *rest, layers[1], *rest, layers[2])
    for name, tensor in vgg.state_dict().items():
        if name.endswith(("running_mean", "running_var", "bias")):
            tensor.uniform_(0.1, 0.5)  # so that a part which is not loaded shows
    return vgg.eval()


def tiny_vgg_config(**settings) -> VGGConfig:
    """What `tiny_torchvision_vgg` is."""
    return VGGConfig(layers=VGG_LAYERS, hidden_size=VISUAL_WIDTH, **settings)


def tiny_text_config(**settings) -> BertConfig:
    """A BERT without dropout, so that a test chooses what varies in training."""
    settings = {"vocab_size": len(tiny_tokenizer()), "initializer_range": 0.1, **settings}
    return BertConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        **settings,
    )


def tiny_config(**settings) -> VMHANConfig:
    """Width 16 and `LABELS`; `settings` are fields of `VMHANConfig`."""
    settings = {"visual_features": ["text"], "initializer_range": 0.1, **settings}
    processor = tiny_processor(entity_markers=settings.get("entity_markers", "none"))
    defaults = {
        "text_config": tiny_text_config(
            vocab_size=len(processor.tokenizer), initializer_range=settings["initializer_range"]
        ),
        "hidden_size": 16,
        "num_attention_heads": 2,
        "visual_hidden_size": VISUAL_WIDTH,
        "id2label": dict(enumerate(LABELS)),
        "label2id": {label: i for i, label in enumerate(LABELS)},
    }
    return VMHANConfig(**{**defaults, **settings})


def tiny_model(seed: int = 0, **settings) -> VMHANForRelationExtraction:
    """A model in eval mode; `settings` are fields of `VMHANConfig`."""
    torch.manual_seed(seed)
    return VMHANForRelationExtraction(tiny_config(**settings)).eval()


def save_tiny_checkpoint(folder, seed: int = 0, **settings) -> str:
    """Saves model and processor; `settings` are fields of `VMHANConfig`. Returns the folder."""
    model = tiny_model(seed, **settings)
    model.save_pretrained(folder)
    tiny_processor(entity_markers=model.config.entity_markers).save_pretrained(folder)
    return str(folder)


def tiny_batch(pairs: int = 5, seed: int = 0) -> dict[str, torch.Tensor]:
    """Random inputs of the model with every visual feature and every kind of node.

    Two sentences of 12 and 9 wordpieces and two images with 3 and 2 objects, of which the pairs take turns. One object
    has neither name nor pixels, one no box.
    """
    generator = torch.Generator().manual_seed(seed)

    def ids(*shape):
        return torch.randint(len(SPECIAL_TOKENS), len(tiny_tokenizer()), shape, generator=generator)

    def up_to(lengths, size):
        return (torch.arange(size) < torch.tensor(lengths)[..., None]).long()

    def spans(*shape):
        starts = torch.randint(1, 6, shape, generator=generator)
        return torch.stack([starts, starts + torch.randint(1, 4, shape, generator=generator)], dim=-1)

    return {
        "input_ids": ids(2, 12),
        "attention_mask": up_to([12, 9], 12),
        "pair_sentence": torch.arange(pairs) % 2,
        "head_span": spans(pairs),
        "tail_span": spans(pairs),
        "pair_image": torch.arange(pairs) % 2,
        "visual_states": torch.randn(2, 4, VISUAL_WIDTH, generator=generator),
        "visual_state_mask": torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]]).bool(),
        "visual_text_ids": ids(2, 4, 6),
        "visual_text_mask": up_to([[6, 3, 2, 1], [4, 2, 0, 0]], 6),
        "object_boxes": torch.rand(2, 3, 4, generator=generator),
        "object_box_mask": torch.tensor([[1, 0, 1], [1, 1, 0]]).bool(),
        "object_mask": torch.tensor([[1, 1, 1], [1, 1, 0]]).bool(),
        "text_phrase_spans": spans(pairs, 2),
        "text_phrase_mask": torch.arange(2 * pairs).view(pairs, 2) % 3 > 0,
        "visual_phrase_ids": ids(pairs, 2, 3),
        "visual_phrase_mask": up_to([[3, 1], [2, 0]], 3)[torch.arange(pairs) % 2],
        "labels": torch.randint(len(LABELS), (pairs,), generator=generator),
    }
