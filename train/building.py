"""The processor, the model and the trainer of a run."""

from transformers import EarlyStoppingCallback

from train.batching import PairCollator
from train.directions import evaluation_rows, is_symmetric
from train.metrics import make_compute_metrics
from train.optimization import freeze
from train.selection import candidate_objects, selection_settings
from train.trainer import PairTrainer
from vmhan import VMHANForRelationExtraction, VMHANProcessor
from vmhan.data_rows import find_no_relation
from vmhan.text_scripts import find_training_scripts


def build_model(data, model_settings, training, label_names, sentences=()):
    """The processor and the model, around the pretrained text encoder, or those of `training.checkpoint`.

    Args:
        sentences: The words of each training row; their scripts are kept in the config.
    """
    if training.checkpoint:
        return load_finished(training.checkpoint, label_names)
    if not training.text_model:
        raise ValueError("Name the text encoder, --text_model <folder or Hub id>, or a --checkpoint to evaluate.")
    settings = dict(vars(model_settings))
    none = find_no_relation(label_names)
    if settings["no_relation"] != none:
        raise ValueError(f"no_relation is {settings['no_relation']!r}, the data call it {none!r}; set no_relation.")
    names_and_boxes = data.boxes and data.visual_setting != "pixels"
    of_processor = {
        "entity_markers": settings["entity_markers"],
        "max_length": training.max_length,
        "max_objects": candidate_objects(data) * (2 if names_and_boxes else 1),
        "node_selection": selection_settings(data),
    }
    settings["training_scripts"] = settings["training_scripts"] or find_training_scripts(sentences)
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


def make_trainer(inputs, processor, data, training, **of_trainer) -> PairTrainer:
    """What trains on the rows of a run and evaluates on its validation split.

    Args:
        inputs: `RunInputs`.
        of_trainer: Further arguments of `PairTrainer`: `model` or `model_init`, `publisher`.
    """
    patience, names = training.early_stopping_patience, inputs.label_names
    validation = evaluation_rows(inputs.splits["validation"])
    return PairTrainer(
        args=training,
        train_dataset=inputs.splits["train"],
        eval_dataset=validation.rows,
        data_collator=PairCollator(
            processor, data.visual_setting, use_boxes=data.boxes is not None, features=inputs.features
        ),
        compute_metrics=make_compute_metrics(names, find_no_relation(names), is_symmetric(names), validation.split),
        processing_class=processor,
        callbacks=[EarlyStoppingCallback(patience)] if patience else None,
        **of_trainer,
    )
