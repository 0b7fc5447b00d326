"""Check that a processor belongs to a model: settings that both hold must agree, or answers change silently."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from torch import nn
from transformers import PreTrainedConfig

if TYPE_CHECKING:  # the Hub's loader runs a file again that it has not loaded itself
    from .modeling_vmhan import VMHANForRelationExtraction
    from .processing_vmhan import VMHANProcessor


def check_processor(processor: "VMHANProcessor | None", model: "VMHANForRelationExtraction") -> None:
    """Checks that a `VMHANProcessor` has the settings of the model that reads its batches.

    Raises:
        ValueError: There is no processor, or it differs from the model; names both values.
    """
    if processor is None:
        raise ValueError(
            "There is no processor; pass processor=VMHANProcessor.from_pretrained(<folder of the model>), which was "
            "saved beside the model."
        )
    differences = list(_differences(processor, model))
    if differences:
        raise ValueError(
            f"The processor is not that of this model: {'; '.join(differences)}. Load the processor that was saved "
            "beside the model, or build both with the same settings."
        )


def _differences(processor: "VMHANProcessor", model: "VMHANForRelationExtraction") -> Iterator[str]:
    """Yields a sentence part for each setting in which the two differ."""
    config, text_model = model.config, model.vmhan.text_model
    if processor.entity_markers != config.entity_markers:
        yield f'entity_markers is "{processor.entity_markers}", the model\'s is "{config.entity_markers}"'
    trained, selection = config.node_selection, processor.node_selection or {}
    if trained is not None and trained != selection:
        yield f"node_selection is {selection or None}, the model was trained with {trained or None}"
    tokens = len(processor.tokenizer)
    embeddings = cast(nn.Embedding, text_model.get_input_embeddings()).num_embeddings
    if tokens > embeddings:
        yield (
            f"its tokenizer has {tokens} tokens, the model {embeddings} embeddings (model.add_tokens("
            "processor.tokenizer, processor.markers) makes room)"
        )
    positions = _count_positions(text_model)
    if positions is not None and processor.max_length > positions:
        yield f"max_length is {processor.max_length}, the text encoder has {positions} positions"
    vision = cast("PreTrainedConfig | None", config.vision_config)
    if vision is not None and processor.image_processor is None:
        yield f"image_processor is None, the model has a vision encoder ({vision.model_type})"


def _count_positions(text_model: nn.Module) -> int | None:
    """Counts the positions of an encoder that learns them; None for any other encoder."""
    positions = getattr(getattr(text_model, "embeddings", None), "position_embeddings", None)
    if not isinstance(positions, nn.Embedding):
        return None
    offset = 0 if positions.padding_idx is None else positions.padding_idx + 1  # RoBERTa's start after padding
    return positions.num_embeddings - offset


__all__ = ["check_processor"]
