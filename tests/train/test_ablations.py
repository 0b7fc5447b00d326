"""The rows of Table 2: each takes away what it says, runs, and trains all that it has."""

import ast
import json
import os
from pathlib import Path

import pytest
import torch
from mnre_fixture import write_mnre
from training_fixture import write_text_encoder
from transformers import set_seed

from train.arguments import read_config
from train.compare import settings_files
from train.data.collator import PairCollator
from train.data.inputs import add_visual_inputs, prepare_rows
from train.model_factory import build_model, build_processor
from train.optimization import parameter_groups
from vmhan.hypergraph import HEAD, IMAGE, OBJECT, TAIL, TEXT_PHRASE, VISUAL_PHRASE

FILES = settings_files([Path("train/configs/mnre/ablations")])
#: All in which a row differs from the full model.
DIFFERENCES = {
    "full": {},
    "without_hypergraph": {"hyperedges": ["pairwise"]},
    "without_variational": {"variational": False},
    "without_vhan": {"structure_encoder": "none"},
    "without_kl": {"kl_weight": 0.0},
    "without_text_phrases": {"num_text_phrases": 0},
    "without_visual_phrases": {"num_visual_phrases": 0, "candidate_objects": 3},
    "without_global": {"hyperedges": ["intra_modal", "inter_modal"]},
    "without_intra_modal": {"hyperedges": ["global", "inter_modal"]},
    "without_inter_modal": {"hyperedges": ["global", "intra_modal"]},
    "with_hgnn": {"structure_encoder": "hgnn"},
    "with_variational_gcn": {"structure_encoder": "variational_gcn"},
    "with_gcn": {"structure_encoder": "gcn"},
    "with_gat": {"structure_encoder": "gat"},
}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return write_text_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def prepared():
    """The inputs of the rows by the settings of their data, which most rows share."""
    return {}


@pytest.fixture(scope="module")
def invented(tmp_path_factory):
    return write_mnre(tmp_path_factory.mktemp("mnre"), sentences=8)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The first rows of the published files, and the descriptions of their images."""
    if "MNRE_DIR" not in os.environ:
        pytest.skip("set MNRE_DIR to the folder of the MNRE files")
    real, folder, relations = Path(os.environ["MNRE_DIR"]), tmp_path_factory.mktemp("published"), None
    for split in ("train", "val", "test"):
        rows = [ast.literal_eval(line) for line in (real / f"mnre_{split}.txt").read_text("utf-8").splitlines()[:32]]
        relations = relations or {row["relation"] for row in rows}
        rows = [row for row in rows if row["relation"] in relations]
        (folder / f"mnre_{split}.txt").write_text("".join(f"{row!r}\n" for row in rows), "utf-8")
        told = json.loads((real / f"llavanext_{split}.json").read_text("utf-8"))
        images = {row["img_id"].removesuffix(".jpg") for row in rows}
        (folder / f"llavanext_{split}.json").write_text(json.dumps({name: told[name] for name in images}), "utf-8")
    return folder


def settings_of(name, *words):
    config = read_config([str(FILES[name]), *words])
    data, model, training = config.data, config.model, config.training
    return vars(data) | vars(model) | {"results_dir": training.results_dir, "learning_rate": training.learning_rate}


def test_each_row_differs_from_the_full_model_in_what_it_is_called_after():
    assert set(FILES) == set(DIFFERENCES)
    full = settings_of("full")
    assert (full["structure_encoder"], full["variational"], full["selector"]) == ("vhan", True, "words")
    assert (full["num_text_phrases"], full["num_visual_phrases"], full["max_objects"]) == (3, 3, 3)
    for name, differences in DIFFERENCES.items():
        settings = settings_of(name)
        assert {key: value for key, value in settings.items() if value != full[key]} == differences, name


def train_briefly(name, folder, encoder, prepared, tmp_path, steps=3):
    """Trains a row on one batch of real inputs; returns model and batch, with the gradients of the last step."""
    words = ["--data_dir", str(folder), "--text_model", encoder, "--output_dir", str(tmp_path), "--use_cpu", "true"]
    small = ["--hidden_size", "16", "--num_attention_heads", "2", "--image_dropout", "0", "--description_dropout", "0"]
    config = read_config([str(FILES[name]), *words, *small])
    processor = build_processor(config)
    if (key := str(config.data)) not in prepared:
        inputs = prepared[key] = prepare_rows(config, processor)
        add_visual_inputs(inputs, build_model(config, processor, inputs), processor, config)
    inputs = prepared[key]
    set_seed(1)
    model = build_model(config, processor, inputs)
    batch = PairCollator(processor, config.data.visual_setting)(list(inputs.splits["train"]))
    optimizer = torch.optim.AdamW(parameter_groups(model, 1e-3, 1e-2, 0.01))
    model.train()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = model(**batch).loss
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    return model, batch


def check_row(name, model, batch):
    missing = [key for key, parameter in model.named_parameters() if parameter.grad is None]
    # a key's bias adds the same to all scores of a softmax
    still = [key for key, parameter in model.named_parameters() if not key.endswith("key.bias")]
    still = [key for key in still if not model.get_parameter(key).grad.any()] if not missing else []
    assert (missing, still) == ([], [])
    with torch.no_grad():
        nodes = model.eval()(**batch)
    kinds = set(nodes.node_types[nodes.node_mask.any(dim=0)].tolist()) - {HEAD, TAIL}
    taken = {"without_text_phrases": {TEXT_PHRASE}, "without_visual_phrases": {VISUAL_PHRASE}}.get(name, set())
    assert kinds == {TEXT_PHRASE, IMAGE, OBJECT, VISUAL_PHRASE} - taken


@pytest.mark.parametrize("name", DIFFERENCES)
def test_each_row_trains_all_its_parameters(name, invented, encoder, prepared, tmp_path):
    check_row(name, *train_briefly(name, invented, encoder, prepared, tmp_path))


@pytest.mark.data
@pytest.mark.parametrize("name", DIFFERENCES)
def test_each_row_trains_on_published_rows(name, published, encoder, prepared, tmp_path):
    check_row(name, *train_briefly(name, published, encoder, prepared, tmp_path))
