"""The model and the processor of a run."""

from train.optimization import freeze
from train.selection import candidate_objects, selection_settings
from vmhan import VMHANForRelationExtraction, VMHANProcessor


def build_model(data, model_settings, training, label_names):
    """The processor and the model, around the pretrained text encoder, or those of `training.checkpoint`."""
    if training.checkpoint:
        return load_finished(training.checkpoint, label_names)
    if not training.text_model:
        raise ValueError("Name the text encoder, --text_model <folder or Hub id>, or a --checkpoint to evaluate.")
    settings = dict(vars(model_settings))
    names_and_boxes = data.boxes and data.visual_setting != "pixels"
    of_processor = {
        "entity_markers": settings["entity_markers"],
        "max_length": training.max_length,
        "max_objects": candidate_objects(data) * (2 if names_and_boxes else 1),
        "node_selection": selection_settings(data),
    }
    labels = dict(enumerate(label_names))
    settings |= {"id2label": labels, "label2id": {name: i for i, name in labels.items()}}
    if training.vision_model:
        encoders = training.text_model, training.vision_model
        processor = VMHANProcessor.from_text_vision_pretrained(*encoders, **of_processor)
        model = VMHANForRelationExtraction.from_text_vision_pretrained(*encoders, **settings)
    else:
        processor = VMHANProcessor.from_text_pretrained(training.text_model, **of_processor)
        model = VMHANForRelationExtraction.from_text_pretrained(training.text_model, **settings)
    model.add_tokens(processor.tokenizer, like=processor.markers)
    freeze(model, training.freeze)
    return processor, model


def load_finished(folder, label_names):
    """The processor and the model of a finished run, whose relations are those of the data."""
    model = VMHANForRelationExtraction.from_pretrained(folder)
    known = [model.config.id2label[i] for i in range(model.config.num_labels)]
    if known != label_names:
        raise ValueError(f"{folder} knows the relations {known}, the data have {label_names}.")
    return VMHANProcessor.from_pretrained(folder), model
