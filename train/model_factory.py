"""The processor, the model and the trainer of a run."""

from pathlib import Path

from transformers import AutoConfig, EarlyStoppingCallback

from train.data.collator import PairCollator
from train.data.directions import evaluation_rows
from train.data.selection import candidate_objects, selection_settings
from train.optimization import freeze
from train.trainer import PairTrainer
from vmhan import VMHANConfig, VMHANForRelationExtraction, VMHANProcessor
from vmhan.data.schema import is_symmetric
from vmhan.evaluation.mode_logits import make_compute_metrics
from vmhan.text_checks import find_training_scripts


def build_processor(data, model_settings, training) -> VMHANProcessor:
    """The processor, around the pretrained text encoder's tokenizer, or that of `training.checkpoint`."""
    if training.checkpoint:
        _check_finished(training.checkpoint)
        return VMHANProcessor.from_pretrained(training.checkpoint)
    if not training.text_model:
        raise ValueError("Name the text encoder, --text_model <folder or Hub id>, or a --checkpoint to evaluate.")
    names_and_boxes = data.boxes and data.visual_setting != "pixels"
    settings = {
        "entity_markers": model_settings.entity_markers,
        "max_length": training.max_length,
        "max_objects": candidate_objects(data) * (2 if names_and_boxes else 1),
        "node_selection": selection_settings(data),
    }
    if training.vision_model:
        return VMHANProcessor.from_text_vision_pretrained(training.text_model, training.vision_model, **settings)
    return VMHANProcessor.from_text_pretrained(training.text_model, **settings)


def build_model(
    model_settings, training, processor, label_names, no_relation, sentences=()
) -> VMHANForRelationExtraction:
    """The model, around the pretrained encoders, or that of `training.checkpoint`.

    Args:
        processor: As `build_processor` builds it.
        label_names: The relations of the data, by id.
        no_relation: Which of them is the negative one.
        sentences: The words of each training row; their scripts are kept in the config.
    """
    if training.checkpoint:
        return load_finished(training.checkpoint, label_names, no_relation)[1]
    labels = dict(enumerate(label_names))
    settings = {
        **vars(model_settings),
        "id2label": labels,
        "label2id": {name: i for i, name in labels.items()},
        "no_relation": no_relation,
        "node_selection": processor.node_selection or {},
        "training_scripts": model_settings.training_scripts or find_training_scripts(sentences),
    }
    if training.vision_model:
        encoders = training.text_model, training.vision_model
        model = VMHANForRelationExtraction.from_text_vision_pretrained(*encoders, **settings)
    else:
        model = VMHANForRelationExtraction.from_text_pretrained(training.text_model, **settings)
    model.add_tokens(processor.tokenizer, like=processor.markers)
    freeze(model, training.freeze)
    return model


def load_finished(folder, label_names, no_relation):
    """The processor and the model of a finished run, whose relations are those of the data.

    Raises:
        ValueError: They are not, or another one of them is the negative one.
    """
    _check_finished(folder)
    model = VMHANForRelationExtraction.from_pretrained(folder)
    known = [model.config.id2label[i] for i in range(model.config.num_labels)]
    if known != label_names:
        raise ValueError(f"{folder} knows the relations {known}, the data have {label_names}.")
    if model.config.no_relation != no_relation:
        raise ValueError(
            f"{folder} was trained with the negative label {model.config.no_relation!r}, that of the data is "
            f"{no_relation!r}; name it with --no_relation {model.config.no_relation!r}."
        )
    return VMHANProcessor.from_pretrained(folder), model


def _check_finished(folder) -> None:
    """Refuses what `from_pretrained` would take for a VM-HAN and fill with noise."""
    final = Path(folder) / "final"
    hint = f" Name {final}, the finished model of that run." if (final / "config.json").is_file() else ""
    if Path(folder).is_dir() and not (Path(folder) / "config.json").is_file():
        raise ValueError(f"{folder} holds no finished VM-HAN: it has no config.json.{hint}")
    kind = AutoConfig.from_pretrained(folder).model_type
    if kind != VMHANConfig.model_type:
        raise ValueError(f"{folder} is a {kind}, no finished VM-HAN; a text encoder to train goes by --text_model.")


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
        compute_metrics=make_compute_metrics(names, inputs.no_relation, is_symmetric(names), validation.split),
        processing_class=processor,
        callbacks=[EarlyStoppingCallback(patience)] if patience else None,
        **of_trainer,
    )
