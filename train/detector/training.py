"""Trains a detector's network: views in, weights and their running average out, resumable at every step."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

from train.detector.arguments import DetectorArguments
from train.detector.augmentation import DetectionAugmentation, ViewSampler, collate
from train.detector.checkpoint import CHECKPOINT, Progress, load_checkpoint, write_checkpoint
from train.detector.losses import detection_loss
from train.detector.optimization import build_optimizer, build_scheduler, has_fast_bf16
from train.weight_average import ema_update
from vmhan.detector_network import DetectorNetwork


class DetectorTraining:
    """A run of training.

    Args:
        arguments: Its settings.
        network: The network, with its initial weights.
        views: The training data.
        evaluate: Scores a network on validation; `"score"` is what to choose by.
        save_best: Called with the averaged network whenever it scores better than before.
    """

    def __init__(
        self,
        arguments: DetectorArguments,
        network: DetectorNetwork,
        views: DetectionAugmentation,
        evaluate: Callable[[nn.Module], dict],
        save_best: Callable[[nn.Module], None],
    ):
        settings = self.settings = arguments.training
        self.defining = arguments.defining()
        self.evaluate, self.save_best, self.progress = evaluate, save_best, Progress()
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
            self.network, build_optimizer(self.network, settings), loader
        )
        epoch_steps = len(views) // settings.batch_size // self.accelerator.num_processes
        self.scheduler = build_scheduler(self.optimizer.optimizer, settings, epoch_steps)
        self.path = Path(settings.output_dir) / CHECKPOINT
        if self.path.is_file():
            self.progress = load_checkpoint(self.path, self._parts(), self.defining)

    @property
    def device_name(self) -> str:
        """Names what it computes on, for the result file."""
        device, precision = self.accelerator.device, "bf16" if self.bf16 else "no"
        if device.type == "cuda":
            return f"{torch.cuda.get_device_name(device)}, mixed precision {precision}"
        return f"{device.type}, {torch.get_num_threads()} threads, mixed precision {precision}"

    def fit(self) -> bool:
        """Trains to the end, or until `stop_after_minutes`; returns True at the end."""
        self._began = self._saved = time.monotonic()
        while self.progress.epoch < self.settings.epochs:
            if not self._run_epoch():
                return False
            self._finish_epoch()
        return True

    def _run_epoch(self) -> bool:
        """Runs the rest of the epoch; returns False if time is up."""
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
        """Trains on each batch that is left of the epoch, and yields its loss."""
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
        """Records the loss, scores the average where it is time to, and moves on to the next epoch."""
        done = self.progress
        entry = {"epoch": done.epoch + 1, "loss": done.loss_sum / max(done.batch, 1)}
        last = done.epoch + 1 == self.settings.epochs
        if (last or (done.epoch + 1) % self.settings.evaluate_every == 0) and self.accelerator.is_main_process:
            scores = self.evaluate(self.average.module)
            entry.update(scores)
            if scores["score"] > done.best_score:
                done.best_score = scores["score"]
                self.save_best(self.average.module)
            tqdm.write(str(entry))
        done.history.append(entry)
        done.epoch, done.batch, done.loss_sum = done.epoch + 1, 0, 0.0
        self.accelerator.wait_for_everyone()
        self._save()

    def _is_time_up(self) -> bool:
        """Returns True if it is time to stop, in all processes at the same step."""
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
        """Writes the checkpoint, in the first process."""
        now = time.monotonic()
        self.progress.seconds += now - self._saved
        self._saved = now
        if self.accelerator.is_main_process:
            write_checkpoint(self.path, self._parts(), self.progress, self.defining)

    def _parts(self) -> dict:
        return {
            "network": self.network,
            "average": self.average,
            "optimizer": self.optimizer.optimizer,
            "scheduler": self.scheduler,
        }
