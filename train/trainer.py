"""`transformers.Trainer` with our sampler and optimizer groups."""

from torch.utils.data import Sampler
from transformers import Trainer

from train.batching import SentenceSampler
from train.optimization import parameter_groups


class PairTrainer(Trainer):
    """Trains on pairs; those of a sentence share a batch."""

    def _get_train_sampler(self, train_dataset=None) -> Sampler:
        dataset = train_dataset if train_dataset is not None else self.train_dataset
        return SentenceSampler(dataset, self.args.train_batch_size, seed=self.args.data_seed or self.args.seed)

    def create_optimizer(self, model=None):
        if self.optimizer is None:
            model = self.model if model is None else model
            kind, settings = self.get_optimizer_cls_and_kwargs(self.args, model)
            rate = self.args.learning_rate
            groups = parameter_groups(model, rate, self.args.head_learning_rate or rate, self.args.weight_decay)
            self.optimizer = kind(groups, **settings)
        return self.optimizer
