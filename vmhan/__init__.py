"""VM-HAN: relations between the entities of a sentence with a picture.

Importing this package teaches the Auto classes and `pipeline` of `transformers` the model.
"""

from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForSequenceClassification,
    AutoProcessor,
)
from transformers.pipelines import PIPELINE_REGISTRY

from .configuration_vgg import VGGConfig
from .configuration_vmhan import NO_RELATION, VMHANConfig
from .llm_selection import LLMSelector
from .modeling_vgg import VGGModel
from .modeling_vmhan import VMHANForRelationExtraction, VMHANModel, VMHANModelOutput, VMHANRelationOutput
from .node_selection import NodeSelection, SelectionRequest, WordSelector
from .node_selectors import load_selector
from .object_names import object_names
from .pipeline_vmhan import TASK, MultimodalRelationExtractionPipeline
from .processing_vmhan import VMHANProcessor
from .request_limits import RequestLimits
from .text_similarity import MeanPooledEncoder

__version__ = "0.1.0"

AutoConfig.register(VMHANConfig.model_type, VMHANConfig, exist_ok=True)
AutoModel.register(VGGConfig, VGGModel, exist_ok=True)
AutoModel.register(VMHANConfig, VMHANModel, exist_ok=True)
AutoModelForSequenceClassification.register(VMHANConfig, VMHANForRelationExtraction, exist_ok=True)
AutoProcessor.register(VMHANConfig, VMHANProcessor, exist_ok=True)
PIPELINE_REGISTRY.register_pipeline(
    TASK,
    pipeline_class=MultimodalRelationExtractionPipeline,
    pt_model=AutoModelForSequenceClassification,
    type="multimodal",
)

__all__ = [
    "NO_RELATION",
    "LLMSelector",
    "MeanPooledEncoder",
    "MultimodalRelationExtractionPipeline",
    "NodeSelection",
    "RequestLimits",
    "SelectionRequest",
    "VGGConfig",
    "VGGModel",
    "VMHANConfig",
    "VMHANForRelationExtraction",
    "VMHANModel",
    "VMHANModelOutput",
    "VMHANProcessor",
    "VMHANRelationOutput",
    "WordSelector",
    "load_selector",
    "object_names",
]
