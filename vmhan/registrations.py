"""Registrations with `transformers`: tables of classes, read when the package is imported and when a model is pushed.

The Hub's `config.json` holds both tables as they are, so a class is named by its file and its name.
"""

from importlib import import_module
from typing import Any

import transformers
from transformers.pipelines import PIPELINE_REGISTRY

from .bundled_weights import BUNDLED_MODEL

TASK = "multimodal-relation-extraction"
#: Auto class to `file.Class`.
AUTO_MAP = {
    "AutoConfig": "configuration_vmhan.VMHANConfig",
    "AutoModel": "modeling_vmhan.VMHANModel",
    "AutoModelForSequenceClassification": "modeling_vmhan.VMHANForRelationExtraction",
    "AutoProcessor": "processing_vmhan.VMHANProcessor",
}
#: Task to its pipeline.
CUSTOM_PIPELINES: dict[str, dict[str, Any]] = {
    TASK: {
        "impl": "pipeline_vmhan.MultimodalRelationExtractionPipeline",
        "pt": ["AutoModelForSequenceClassification"],
        "type": "multimodal",
    }
}


def load_class(reference: str) -> type:
    """Loads a class of the package from its `file.Class`."""
    file, name = reference.split(".")
    return getattr(import_module(f"{__package__}.{file}"), name)


def register() -> None:
    """Registers the classes of both tables with the Auto classes and the pipelines of `transformers`.

    A pipeline that names no model loads the bundled one.
    """
    config = load_class(AUTO_MAP["AutoConfig"])
    for name, reference in AUTO_MAP.items():
        key = config.model_type if name == "AutoConfig" else config
        getattr(transformers, name).register(key, load_class(reference), exist_ok=True)
    vgg_config = load_class("configuration_vgg.VGGConfig")
    transformers.AutoModel.register(vgg_config, load_class("modeling_vgg.VGGModel"), exist_ok=True)
    for task, settings in CUSTOM_PIPELINES.items():
        PIPELINE_REGISTRY.register_pipeline(
            task,
            pipeline_class=load_class(settings["impl"]),
            pt_model=tuple(getattr(transformers, name) for name in settings["pt"]),
            type=settings["type"],
            default={"model": (str(BUNDLED_MODEL), "main")},
        )
