"""A VM-HAN small enough for tests: random weights, a BERT of width 16, letters for wordpieces."""

import string

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, PreTrainedTokenizerFast

from vmhan import VMHANConfig, VMHANForRelationExtraction, VMHANProcessor

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


def save_tiny_checkpoint(folder, seed: int = 0, **settings) -> str:
    """Saves model and processor; `settings` are fields of `VMHANConfig`. Returns the folder."""
    torch.manual_seed(seed)
    settings = {"visual_features": ["text"], "entity_markers": "none", "initializer_range": 0.1, **settings}
    processor = VMHANProcessor(tiny_tokenizer(), entity_markers=settings["entity_markers"])
    text_config = BertConfig(
        vocab_size=len(processor.tokenizer),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        initializer_range=settings["initializer_range"],
    )
    config = VMHANConfig(
        text_config=text_config,
        hidden_size=16,
        num_attention_heads=2,
        id2label=dict(enumerate(LABELS)),
        label2id={label: i for i, label in enumerate(LABELS)},
        **settings,
    )
    VMHANForRelationExtraction(config).save_pretrained(folder)
    processor.save_pretrained(folder)
    return str(folder)
