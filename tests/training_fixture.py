"""A run small enough for tests: an invented MNRE and a BERT of width 16."""

import torch
from mnre_fixture import write_mnre
from tiny import tiny_text_config, tiny_tokenizer, tiny_torchvision_vgg
from transformers import BertConfig, BertModel, set_seed

PAPER = "train/configs/mnre/paper.yaml"
SETTINGS = """
data: {data_dir: %s}
model:
  {entity_markers: shared, entity_pool: mean_marker, visual_features: [text], hidden_size: 16, num_attention_heads: 2,
   num_layers: 2, message_dropout: 0.2, classifier_dropout: 0.2, image_dropout: 0.3, description_dropout: 0.3}
training:
  {text_model: %s, output_dir: %s, results_dir: %s, num_train_epochs: 2, learning_rate: 1.0e-3, seed: 3, use_cpu: true,
   per_device_train_batch_size: 8, per_device_eval_batch_size: 6, eval_strategy: steps, save_strategy: steps,
   eval_steps: 2, save_steps: 2, logging_steps: 1, load_best_model_at_end: true,
   metric_for_best_model: direction_unknown_f1, weight_average: 0.6, disable_tqdm: true, remove_unused_columns: false,
   dataloader_pin_memory: false}
"""


def write_settings(folder) -> str:
    """Writes data, text encoder and settings; returns the path of the settings. Results go to `folder/results`."""
    text = write_text_encoder(folder / "text")
    write_mnre(folder / "mnre", sentences=11)
    path = folder / "settings.yaml"
    places = (folder / "mnre", text, folder / "run", folder / "results")
    path.write_text(SETTINGS % places, encoding="utf-8")
    return str(path)


def write_text_encoder(folder) -> str:
    """Writes a BERT of width 16 with its tokenizer; returns the folder."""
    set_seed(0)
    tokenizer = tiny_tokenizer()
    tokenizer.save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    BertModel(config).save_pretrained(folder)
    return str(folder)


def write_parts(folder) -> list[str]:
    """Writes tiny encoders; returns the command line of a short run of the paper's setting with them."""
    set_seed(0)
    tiny_tokenizer().save_pretrained(folder / "text")
    BertModel(tiny_text_config()).save_pretrained(folder / "text")
    torch.save(tiny_torchvision_vgg().state_dict(), folder / "vgg.pth")
    places = {"text_model": "text", "vision_model": "vgg.pth", "output_dir": "run", "results_dir": "results"}
    words = [PAPER, "--boxes", "detect", "--detector", "", "--feature_cache", str(folder / "cache")]
    words += [word for name, place in places.items() for word in (f"--{name}", str(folder / place))]
    return [*words, *["--num_train_epochs", "1", "--max_length", "512", "--use_cpu", "true", "--disable_tqdm", "true"]]
