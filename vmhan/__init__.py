"""VM-HAN: relations between the entities of a sentence with an image.

Importing this package teaches the Auto classes and `pipeline` of `transformers` the model.
"""

from .configuration_vgg import VGGConfig
from .configuration_vmhan import NO_RELATION, VMHANConfig
from .model_outputs import VMHANModelOutput, VMHANRelationOutput
from .modeling_vgg import VGGModel
from .modeling_vmhan import VMHANForRelationExtraction, VMHANModel
from .node_selection import NodeSelection, SelectionRequest, WordSelector
from .object_nouns import object_names
from .pipeline_vmhan import MultimodalRelationExtractionPipeline
from .processing_vmhan import VMHANProcessor
from .registrations import TASK, register
from .request_limits import RequestLimits
from .text_similarity import MeanPooledEncoder

__version__ = "0.1.0"

register()

__all__ = [
    "NO_RELATION",
    "TASK",
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
