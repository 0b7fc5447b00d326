"""The processor, the model and the trainer of a run."""

from pathlib import Path

from transformers import AutoConfig, EarlyStoppingCallback

from train.arguments import RunConfig
from train.data.collator import PairCollator
from train.data.directions import evaluation_rows
from train.data.run_inputs import RunInputs
from train.data.selection import selection_settings
from train.optimization import freeze
from train.settings_parser import SettingsError
from train.trainer import PairTrainer
from vmhan import VMHANConfig, VMHANForRelationExtraction, VMHANProcessor
from vmhan.data.schema import is_symmetric
from vmhan.evaluation.mode_logits import make_compute_metrics
from vmhan.text_checks import find_training_scripts


def build_processor(config: RunConfig) -> VMHANProcessor:
    """Builds the processor around the tokenizer of the pretrained text encoder, or loads that of the checkpoint.

    Raises:
        SettingsError: Neither is named.
    """
    data, training = config.data, config.training
    if training.checkpoint:
        _check_finished(training.checkpoint)
        return VMHANProcessor.from_pretrained(training.checkpoint)
    if not training.text_model:
        raise SettingsError("Name the text encoder, --text_model <folder or Hub id>, or a --checkpoint to evaluate.")
    names_and_boxes = data.boxes and data.visual_setting != "pixels"
    settings = {
        "entity_markers": config.model.entity_markers,
        "max_length": training.max_length,
        "max_objects": data.objects_per_image * (2 if names_and_boxes else 1),
        "node_selection": selection_settings(data),
    }
    if training.vision_model:
        return VMHANProcessor.from_text_vision_pretrained(training.text_model, training.vision_model, **settings)
    return VMHANProcessor.from_text_pretrained(training.text_model, **settings)


def build_model(config: RunConfig, processor: VMHANProcessor, inputs: RunInputs) -> VMHANForRelationExtraction:
    """Builds the model around the pretrained encoders, or loads the checkpoint.

    Args:
        config: The settings.
        processor: As `build_processor` builds it.
        inputs: Have the relations, and the training sentences, whose scripts are listed in the model's config.
    """
    training, label_names = config.training, inputs.label_names
    if training.checkpoint:
        return load_finished(training.checkpoint, label_names, inputs.no_relation)[1]
    scripts = config.model.training_scripts or find_training_scripts(inputs.splits["train"]["words"])
    settings = {
        **vars(config.model),
        "id2label": dict(enumerate(label_names)),
        "label2id": {name: i for i, name in enumerate(label_names)},
        "no_relation": inputs.no_relation,
        "node_selection": processor.node_selection or {},
        "training_scripts": scripts,
    }
    if training.vision_model:
        encoders = training.text_model, training.vision_model
        model = VMHANForRelationExtraction.from_text_vision_pretrained(*encoders, **settings)
    else:
        model = VMHANForRelationExtraction.from_text_pretrained(training.text_model, **settings)
    model.add_tokens(processor.tokenizer, like=processor.markers)
    freeze(model, training.freeze)
    return model


def load_finished(
    folder: str, label_names: list[str], no_relation: str
) -> tuple[VMHANProcessor, VMHANForRelationExtraction]:
    """Loads processor and model of a finished run, whose relations are those of the data.

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


def build_trainer(config: RunConfig, inputs: RunInputs, processor: VMHANProcessor, **of_trainer) -> PairTrainer:
    """Builds the trainer, which trains on the rows of a run and evaluates on its validation split.

    Args:
        config: The settings.
        inputs: The rows.
        processor: Builds the batches.
        of_trainer: Further arguments of `PairTrainer`: `model` or `model_init`, `publisher`.
    """
    data, patience, names = config.data, config.training.early_stopping_patience, inputs.label_names
    validation = evaluation_rows(inputs.splits["validation"])
    return PairTrainer(
        args=config.training,
        train_dataset=inputs.splits["train"],
        eval_dataset=validation.rows,
        data_collator=PairCollator(
            processor,
            data.visual_setting,
            use_boxes=data.uses_boxes,
            features=inputs.features,
            sources=inputs.sources,
            mention_kinds=config.of_model.mention_kinds,
        ),
        compute_metrics=make_compute_metrics(names, inputs.no_relation, is_symmetric(names), validation.split),
        processing_class=processor,
        callbacks=[EarlyStoppingCallback(patience)] if patience else None,
        source_weights=[source.weight for source in inputs.sources],
        **of_trainer,
    )


def _check_finished(folder: str) -> None:
    """Refuses a checkpoint that `from_pretrained` would take for a VM-HAN and fill with noise."""
    final = Path(folder) / "final"
    hint = f" Name {final}, the finished model of that run." if (final / "config.json").is_file() else ""
    if Path(folder).is_dir() and not (Path(folder) / "config.json").is_file():
        raise ValueError(f"{folder} holds no finished VM-HAN: it has no config.json.{hint}")
    kind = AutoConfig.from_pretrained(folder).model_type
    if kind != VMHANConfig.model_type:
        raise ValueError(f"{folder} is a {kind}, no finished VM-HAN; a text encoder to train goes by --text_model.")
