"""VM-HAN: relations between the entities of a sentence with an image.

Importing this package registers the model with the Auto classes and `pipeline` of `transformers`.
"""

from .configuration_vgg import VGGConfig
from .configuration_vmhan import NO_RELATION, VMHANConfig
from .extraction_answer import AnswerEntity, AnswerMention, AnswerPair, ExtractionAnswer, FailedRequest
from .extraction_request import ExtractionInput, ObjectInput
from .image_cache import ImageCache
from .image_description import ImageDescriber
from .model_outputs import VMHANModelOutput, VMHANRelationOutput
from .modeling_vgg import VGGModel
from .modeling_vmhan import VMHANForRelationExtraction, VMHANModel
from .node_selection import NodeSelection, NodeSelector, SelectionRequest, WordSelector
from .object_detection import DetectedObject, ImageObject, ObjectDetector
from .object_nouns import object_names
from .pair_rows import AttendedObject
from .pipeline_vmhan import MultimodalRelationExtractionPipeline
from .processing_vmhan import VMHANProcessor
from .registrations import TASK, register
from .request_limits import RequestLimits
from .text_similarity import MeanPooledEncoder

__version__ = "0.2.0.dev0"

register()

__all__ = [
    "NO_RELATION",
    "TASK",
    "AnswerEntity",
    "AnswerMention",
    "AnswerPair",
    "AttendedObject",
    "DetectedObject",
    "ExtractionAnswer",
    "ExtractionInput",
    "FailedRequest",
    "ImageCache",
    "ImageDescriber",
    "ImageObject",
    "MeanPooledEncoder",
    "MultimodalRelationExtractionPipeline",
    "NodeSelection",
    "NodeSelector",
    "ObjectDetector",
    "ObjectInput",
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
    "object_names",
]
