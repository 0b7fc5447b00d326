"""The steps that the benchmark times: model, optimizer and VGG16 behind one call, and the memory that a step takes."""

import argparse
from collections.abc import Callable
from pathlib import Path

import torch
from torchvision.models import vgg16
from transformers import BertConfig

from train.benchmark.batches import (
    OBJECTS,
    RELATIONS,
    VISUAL_SIZE,
    VOCABULARY,
    Sentence,
    naive_batch,
    training_batches,
)
from vmhan import VMHANConfig, VMHANForRelationExtraction, VMHANModelOutput
from vmhan.hypergraph import build_incidence
from vmhan.losses import RelationTargets, weighted_losses

SIZES = {
    "tiny": {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 128},
    "minilm": {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536},
    "base": {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072},
}
#: Width of nodes and hyperedges, which the paper leaves open: as in the bundled model, two thirds of the encoder's.
NODE_SIZES = {"tiny": 48, "minilm": 256, "base": 512}
MIB = 2**20

Step = Callable[[], object]


class Bench:
    """The model of the paper, its optimizer and VGG16, which all variants share.

    Args:
        args: `size`, `hidden_size`, `device`, `crop_size`, `seed` and `threads` of the command line.
        with_vgg: Whether the naive variant will run.
    """

    def __init__(self, args: argparse.Namespace, with_vgg: bool = True):
        if args.threads:
            torch.set_num_threads(args.threads)
        torch.manual_seed(args.seed)
        config = VMHANConfig(
            text_config=BertConfig(vocab_size=VOCABULARY, **SIZES[args.size]),
            hidden_size=args.hidden_size or NODE_SIZES[args.size],
            visual_features=["pixels"],
            visual_hidden_size=VISUAL_SIZE,
            num_labels=RELATIONS,
        )
        self.device = torch.device(args.device)
        self.model = VMHANForRelationExtraction(config).to(self.device)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-5, fused=True)
        self.vgg = _vgg_to_fc7().to(self.device) if with_vgg else None
        self.crop_size = args.crop_size

    def step(self, stage: str, variant: str, batch: dict[str, torch.Tensor]) -> Step:
        """Prepares a step of `"training"`, `"prediction"` or the `"hypergraph"` part of training.

        Only the call of the step is timed.
        """
        batch = batch if variant == "ours" else naive_batch(batch)
        batch = {name: tensor.to(self.device) for name, tensor in batch.items()}
        self.model.train(stage != "prediction")
        self.optimizer.zero_grad()
        if stage == "hypergraph":
            return self._hypergraph(batch)
        run = self._train if stage == "training" else self.predict
        if variant != "naive":
            return lambda: run(batch)
        crops = torch.randn(len(batch["labels"]), 1 + OBJECTS, 3, self.crop_size, self.crop_size, device=self.device)
        return lambda: run({**batch, "visual_states": self.visual_states(crops)})

    @torch.no_grad()
    def predict(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Computes logits, (pairs, labels)."""
        return self.model(**_inputs(batch)).logits

    @torch.no_grad()
    def visual_states(self, crops: torch.Tensor) -> torch.Tensor:
        """Computes VGG16's fc7 of (images, 1 + objects, 3, height, width): (images, 1 + objects, 4096)."""
        return self.vgg(crops.flatten(0, 1)).unflatten(0, crops.shape[:2])

    def _train(self, batch: dict[str, torch.Tensor]) -> None:
        self._update(self.model(**batch).loss)

    def _update(self, loss: torch.Tensor) -> None:
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()  # passes over parameters without a gradient

    def _hypergraph(self, batch: dict[str, torch.Tensor]) -> Step:
        with torch.no_grad():
            nodes = self.model.vmhan(**_inputs(batch))
        nodes.node_features.requires_grad_()
        return lambda: self._update(hypergraph_loss(self.model, nodes, batch["labels"]))


def hypergraph_loss(model: VMHANForRelationExtraction, nodes: VMHANModelOutput, labels: torch.Tensor) -> torch.Tensor:
    """Computes the loss from `nodes.node_features` on."""
    incidence = build_incidence(nodes.node_types, nodes.node_mask)
    structure = model.vmhan.structure_encoder(model.vmhan.gaussian_nodes(nodes.node_features), incidence)
    final = VMHANModelOutput(
        last_node_mean=structure.nodes[-1].mean,
        last_node_variance=structure.nodes[-1].variance,
        node_features=nodes.node_features,
        node_mask=nodes.node_mask,
        node_means=tuple(layer.mean for layer in structure.nodes),
        node_variances=tuple(layer.variance for layer in structure.nodes),
    )
    logits = model.classifier(model.dropout(model._pair_features(final)))
    return weighted_losses(model.config, logits, RelationTargets(labels), final)["loss"]


def _inputs(batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor for name, tensor in batch.items() if name != "labels"}


def _vgg_to_fc7() -> torch.nn.Module:
    """Builds a VGG16 with random weights, without its last layer."""
    vgg = vgg16(weights=None, init_weights=False).eval()
    vgg.classifier = vgg.classifier[:5]  # ends with the ReLU of the second wide layer
    return vgg


def peak_memory(stage: str, variant: str, sentences: list[Sentence], args: argparse.Namespace) -> dict[str, float]:
    """Measures the peak memory of two steps in MiB: all of it, and what comes on top of the weights.

    To be run in a process of its own. On a CPU it is the resident memory of the process, libraries included; on a GPU
    what its tensors take.
    """
    bench = Bench(args, with_vgg=variant == "naive")
    batch = next(training_batches(sentences, args.pairs, args.seed))
    before = _peak_from_now(bench.device)
    for _ in range(2):
        bench.step(stage, variant, batch)()
    peak = _peak(bench.device)
    return {"peak_mib": peak / MIB, "peak_above_weights_mib": (peak - before) / MIB}


def _peak_from_now(device: torch.device) -> int:
    """Resets the peak, where the system can, and returns the bytes in use."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif Path("/proc/self/clear_refs").exists():
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _peak(device)


def _peak(device: torch.device) -> int:
    """Reads the most bytes in use since."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    status = Path("/proc/self/status")
    if status.exists():
        fields = dict(line.split(":", 1) for line in status.read_text(encoding="utf-8").splitlines())
        return int(fields["VmHWM"].split()[0]) * 1024
    import resource  # macOS, which counts the whole life of the process

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
