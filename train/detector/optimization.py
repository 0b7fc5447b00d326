"""The detector's optimizer and schedule, and the precision it is trained in."""

import torch
from torch import nn
from transformers import get_scheduler

from train.detector.arguments import DetectionTrainingArguments

_LEAST_RATE = 0.01  # share of the learning rate that is left at the end


def has_fast_bf16() -> bool:
    """Returns True if the GPU, or without one the CPU, computes convolutions in bfloat16 faster than in float32."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported()
    able = getattr(torch.cpu, "get_capabilities", dict)()  # older releases of torch do not tell
    return any(able.get(name, False) for name in ("avx512_bf16", "amx_bf16"))


def build_optimizer(network: nn.Module, settings: DetectionTrainingArguments) -> torch.optim.AdamW:
    """Builds an AdamW in which biases and norms, which have one axis, do not decay."""
    parameters = list(network.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.learning_rate)


def build_scheduler(optimizer: torch.optim.Optimizer, settings: DetectionTrainingArguments, epoch_steps: int):
    """Builds the schedule of the learning rate: a warmup, then half a cosine."""
    steps = settings.epochs * epoch_steps
    return get_scheduler(
        "cosine_with_min_lr",
        optimizer,
        num_warmup_steps=min(settings.warmup_steps, steps // 2),
        num_training_steps=steps,
        scheduler_specific_kwargs={"min_lr_rate": _LEAST_RATE},
    )
