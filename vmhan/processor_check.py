"""Whether a processor belongs to a model: what both hold has to be equal, or answers would silently change."""

from collections.abc import Iterator

from torch import nn


def check_processor(processor, model) -> None:
    """Compares a `VMHANProcessor` with the model that is to read its batches.

    Raises:
        ValueError: There is no processor, or it differs from the model; both values are named.
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


def _differences(processor, model) -> Iterator[str]:
    config, text_model = model.config, model.base_model.text_model
    if processor.entity_markers != config.entity_markers:
        yield f'entity_markers is "{processor.entity_markers}", the model\'s is "{config.entity_markers}"'
    known, told = config.node_selection, processor.node_selection or {}
    if known is not None and known != told:
        yield f"node_selection is {told or None}, the model was trained with {known or None}"
    tokens, embeddings = len(processor.tokenizer), text_model.get_input_embeddings().num_embeddings
    if tokens > embeddings:
        yield (
            f"its tokenizer has {tokens} tokens, the model {embeddings} embeddings (model.add_tokens("
            "processor.tokenizer, processor.markers) makes room)"
        )
    positions = _count_positions(text_model)
    if positions is not None and processor.max_length > positions:
        yield f"max_length is {processor.max_length}, the text encoder has {positions} positions"
    if config.vision_config is not None and processor.image_processor is None:
        yield f"image_processor is None, the model has a vision encoder ({config.vision_config.model_type})"


def _count_positions(text_model) -> int | None:
    """The wordpieces that an encoder with learnt positions takes; None where there are none, or none are known."""
    positions = getattr(getattr(text_model, "embeddings", None), "position_embeddings", None)
    if not isinstance(positions, nn.Embedding):
        return None
    offset = 0 if positions.padding_idx is None else positions.padding_idx + 1  # RoBERTa's start after padding
    return positions.num_embeddings - offset


__all__ = ["check_processor"]
