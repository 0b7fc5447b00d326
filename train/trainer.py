"""`transformers.Trainer` with our sampler, optimizer groups and average of the weights."""

from collections.abc import Sequence
from contextlib import nullcontext

from torch.utils.data import Sampler
from transformers import Trainer, TrainerState
from transformers.trainer_utils import HubStrategy

from train.data.sampler import SentenceSampler
from train.optimization import parameter_groups
from train.publishing import Publisher
from train.weight_average import WeightAverage


class PairTrainer(Trainer):
    """Trains on pairs; those of a sentence share a batch.

    With `args.weight_average` the average of the weights is evaluated and saved.

    Args:
        publisher: Pushes checkpoints, with `args.push_to_hub` and in the first process.
        source_weights: As of `SentenceSampler`.
    """

    def __init__(self, *args, publisher: Publisher | None = None, source_weights: Sequence[float] = (), **kwargs):
        self.publisher = publisher
        self.source_weights = source_weights
        super().__init__(*args, **kwargs)
        self.label_names = ["labels"]  # else every argument of the model that has "label" in its name
        self.weight_average = None

    def init_hf_repo(self, token: str | None = None, private: bool | None = None) -> None:
        """Leaves the repository to the publisher, which has created it."""
        self.hub_model_id, self.push_in_progress = self.args.hub_model_id, None

    def _push_from_checkpoint(self, checkpoint_folder: str) -> None:
        # the stock method would send training_args.bin, a pickle
        if self.publisher is not None and self.args.hub_strategy != HubStrategy.END:
            self.publisher.push_checkpoint(checkpoint_folder, self.state.global_step)

    def _hp_search_setup(self, trial) -> None:
        super()._hp_search_setup(trial)
        if self.args.weight_average:  # here `model_init`, if there is one, has built the model
            self.weight_average = WeightAverage(self.model, self.args.weight_average)
            self.add_callback(self.weight_average)

    def train(self, *args, **kwargs):
        output = super().train(*args, **kwargs)
        if self.weight_average is not None:
            if not self.args.load_best_model_at_end:
                self.model.load_state_dict(self.weight_average.average.module.state_dict())
            self.remove_callback(self.weight_average)
            self.weight_average = None  # the model has the weights that count
        return output

    def predict(self, *args, **kwargs):
        """Predicts without metrics: `compute_metrics` fits the rows of `eval_dataset` and no others."""
        compute_metrics, self.compute_metrics = self.compute_metrics, None
        try:
            return super().predict(*args, **kwargs)
        finally:
            self.compute_metrics = compute_metrics

    def evaluation_loop(self, *args, **kwargs):
        with self._averaged():
            return super().evaluation_loop(*args, **kwargs)

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False):
        with self._averaged():
            super().save_model(output_dir, _internal_call)
        if self.weight_average is not None and self.args.should_save:
            self.weight_average.save_raw(output_dir or self.args.output_dir)

    def _load_from_checkpoint(self, resume_from_checkpoint, model=None):
        super()._load_from_checkpoint(resume_from_checkpoint, model)
        if self.weight_average is not None:
            state = TrainerState.load_from_json(f"{resume_from_checkpoint}/trainer_state.json")
            self.weight_average.resume(resume_from_checkpoint, state.global_step)

    def _averaged(self):
        return nullcontext() if self.weight_average is None else self.weight_average.in_place()

    def _get_train_sampler(self, train_dataset=None) -> Sampler:
        dataset = train_dataset if train_dataset is not None else self.train_dataset
        seed = self.args.data_seed or self.args.seed
        return SentenceSampler(dataset, self.args.train_batch_size, seed, self.source_weights)

    def create_optimizer(self, model=None):
        if self.optimizer is None:
            model = self.model if model is None else model
            kind, settings = self.get_optimizer_cls_and_kwargs(self.args, model)
            rate = self.args.learning_rate
            groups = parameter_groups(model, rate, self.args.head_learning_rate or rate, self.args.weight_decay)
            self.optimizer = kind(groups, **settings)
        return self.optimizer
