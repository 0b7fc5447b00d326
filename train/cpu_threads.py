"""A warning where a training leaves the machine's cores idle."""

import logging
import os

import torch

logger = logging.getLogger(__name__)


def warn_of_idle_cores() -> None:
    """Warns where this is the only process, has no GPU, and computes on one of several cores.

    `accelerate launch` gives a process one thread by default.
    """
    cores, processes = os.cpu_count() or 1, int(os.environ.get("WORLD_SIZE", "1"))
    if torch.cuda.is_available() or torch.get_num_threads() > 1 or processes > 1 or cores == 1:
        return
    logger.warning(
        "This training computes on 1 of %d cores; with `accelerate launch --num_cpu_threads_per_process %d ...` it is "
        "faster.",
        cores,
        cores,
    )
