"""Trains a detector's network: views in, weights and their running average out, resumable at every step."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader
from tqdm.auto import tqdm
from transformers import get_scheduler

from train.detector.arguments import DetectorArguments
from train.detector.augmentation import DetectionAugmentation, ViewSampler, collate
from train.detector.losses import detection_loss
from train.weight_average import ema_update
from vmhan.detector_network import DetectorNetwork

CHECKPOINT = "checkpoint.pt"
_LEAST_RATE = 0.01  # share of the learning rate that is left at the end


@dataclass
class Progress:
    """How far a run is.

    Args:
        epoch: The epoch under way, or to come.
        batch: Batches of it that are done.
        step: Steps done in all.
        seconds: Time taken, over all sittings.
        loss_sum: Sum of the losses of this epoch's steps.
        history: For each finished epoch its mean loss and, where validation was read, the scores.
        best_score: The best of them.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    seconds: float = 0.0
    loss_sum: float = 0.0
    history: list[dict] = field(default_factory=list)
    best_score: float = -1.0


class DetectorTraining:
    """A run of training.

    Args:
        arguments: Its settings.
        network: The network, freshly made.
        views: What it is trained on.
        evaluate: Scores a network on validation; `"score"` is what to choose by.
        keep: Called with the averaged network whenever it scores better than before.
    """

    def __init__(
        self,
        arguments: DetectorArguments,
        network: DetectorNetwork,
        views: DetectionAugmentation,
        evaluate: Callable[[nn.Module], dict],
        keep: Callable[[nn.Module], None],
    ):
        settings = self.settings = arguments.training
        self.defining = arguments.defining()
        self.evaluate, self.keep, self.progress = evaluate, keep, Progress()
        gpu = torch.cuda.is_available()
        self.accelerator = Accelerator(cpu=not gpu)
        self.bf16 = has_fast_bf16()
        torch.backends.cudnn.benchmark = True
        self.network = network.to(self.accelerator.device, memory_format=torch.channels_last)
        self.average = AveragedModel(self.network, multi_avg_fn=ema_update(settings.weight_average), use_buffers=True)
        self.average.eval()
        self.sampler = ViewSampler(len(views), settings.batch_size, settings.sizes, settings.mosaic, settings.seed)
        loader = DataLoader(
            views,
            batch_sampler=self.sampler,
            collate_fn=collate,
            num_workers=settings.workers,
            persistent_workers=settings.workers > 0,
            pin_memory=gpu,
        )
        self.model, self.optimizer, self.loader = self.accelerator.prepare(
            self.network, make_optimizer(self.network, settings.learning_rate, settings.weight_decay), loader
        )
        steps = settings.epochs * (len(views) // settings.batch_size // self.accelerator.num_processes)
        self.scheduler = get_scheduler(
            "cosine_with_min_lr",
            self.optimizer.optimizer,
            num_warmup_steps=min(settings.warmup_steps, steps // 2),
            num_training_steps=steps,
            scheduler_specific_kwargs={"min_lr_rate": _LEAST_RATE},
        )
        self.path = Path(settings.output_dir) / CHECKPOINT
        if self.path.is_file():
            self._resume()

    @property
    def device_name(self) -> str:
        """What it computes on, for the result file."""
        device, precision = self.accelerator.device, "bf16" if self.bf16 else "no"
        if device.type == "cuda":
            return f"{torch.cuda.get_device_name(device)}, mixed precision {precision}"
        return f"{device.type}, {torch.get_num_threads()} threads, mixed precision {precision}"

    def fit(self) -> bool:
        """Trains to the end, or until `stop_after_minutes`; True at the end."""
        self._began = self._saved = time.monotonic()
        while self.progress.epoch < self.settings.epochs:
            if not self._run_epoch():
                return False
            self._finish_epoch()
        return True

    def _run_epoch(self) -> bool:
        """The rest of the epoch; False if time is up."""
        for losses in self._steps():
            self.progress.loss_sum += losses
            self.progress.batch += 1
            self.progress.step += 1
            if self._minutes_since(self._saved) >= self.settings.checkpoint_minutes:
                self._save()
            if self._is_time_up():
                self._save()
                return False
        return True

    def _steps(self) -> Iterator[float]:
        """Trains on each batch that is left of the epoch and gives its loss."""
        done, settings = self.progress, self.settings
        plain = done.epoch >= settings.epochs - settings.plain_epochs
        self.sampler.mosaic = 0.0 if plain else settings.mosaic
        self.sampler.sizes = settings.plain_sizes if plain else settings.sizes
        self.sampler.start_at(done.epoch, done.batch * self.accelerator.num_processes)
        self.model.train()
        bar = tqdm(
            self.loader, desc=f"epoch {done.epoch + 1}/{settings.epochs}", disable=not self.accelerator.is_main_process
        )
        for batch in bar:
            with torch.autocast(self.accelerator.device.type, torch.bfloat16, enabled=self.bf16):
                prediction = self.model(batch.pixels)
            losses = detection_loss(prediction, batch)
            self.optimizer.zero_grad()
            self.accelerator.backward(losses["loss"])
            self.accelerator.clip_grad_norm_(self.model.parameters(), settings.max_grad_norm)
            self.optimizer.step()
            self.scheduler.step()
            self.average.update_parameters(self.network)
            loss = float(losses["loss"].detach())
            if not torch.isfinite(torch.tensor(loss)):
                raise ValueError(f"The loss is {loss} at step {done.step}; lower --learning_rate.")
            bar.set_postfix(loss=f"{loss:.3f}")
            yield loss

    def _finish_epoch(self) -> None:
        """Notes the loss, scores the average where it is time to, and moves on to the next epoch."""
        done = self.progress
        entry = {"epoch": done.epoch + 1, "loss": done.loss_sum / max(done.batch, 1)}
        last = done.epoch + 1 == self.settings.epochs
        if (last or (done.epoch + 1) % self.settings.evaluate_every == 0) and self.accelerator.is_main_process:
            scores = self.evaluate(self.average.module)
            entry.update(scores)
            if scores["score"] > done.best_score:
                done.best_score = scores["score"]
                self.keep(self.average.module)
            tqdm.write(str(entry))
        done.history.append(entry)
        done.epoch, done.batch, done.loss_sum = done.epoch + 1, 0, 0.0
        self.accelerator.wait_for_everyone()
        self._save()

    def _is_time_up(self) -> bool:
        """Whether to stop, for all processes at the same step."""
        limit = self.settings.stop_after_minutes
        if limit is None:
            return False
        if self._minutes_since(self._began) >= limit:
            self.accelerator.set_trigger()
        return self.accelerator.check_trigger()

    @staticmethod
    def _minutes_since(moment: float) -> float:
        return (time.monotonic() - moment) / 60

    def _save(self) -> None:
        """Writes the checkpoint, so that a killed run leaves the old one or the new one."""
        now = time.monotonic()
        self.progress.seconds += now - self._saved
        self._saved = now
        if not self.accelerator.is_main_process:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_suffix(".partial")
        state = {name: part.state_dict() for name, part in self._parts().items()}
        torch.save({**state, "progress": asdict(self.progress), "defining": self.defining}, partial)
        partial.replace(self.path)

    def _resume(self) -> None:
        """Takes up the run of the checkpoint.

        Raises:
            ValueError: It has other settings.
        """
        state = torch.load(self.path, map_location="cpu", weights_only=True)
        for name, value in self.defining.items():
            if state["defining"].get(name) != value:
                raise ValueError(
                    f"{self.path} was trained with {name} {state['defining'].get(name)!r}, not {value!r}; "
                    "set another --output_dir to begin anew."
                )
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        self.progress = Progress(**state["progress"])

    def _parts(self) -> dict:
        return {
            "network": self.network,
            "average": self.average,
            "optimizer": self.optimizer.optimizer,
            "scheduler": self.scheduler,
        }


def has_fast_bf16() -> bool:
    """Whether the GPU, or without one the processor, computes convolutions in bfloat16 faster than in float32."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported()
    able = torch.cpu.get_capabilities()
    return any(able.get(name, False) for name in ("avx512_bf16", "amx_bf16"))


def make_optimizer(network: nn.Module, learning_rate: float, weight_decay: float) -> torch.optim.AdamW:
    """AdamW in which biases and norms, which have one axis, do not decay."""
    parameters = list(network.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=learning_rate)
