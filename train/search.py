"""Grid search over what the paper leaves open, on the validation split; the test split is never looked at.

    python -m train.search train/configs/mnre/mini.yaml --storage sqlite:///outputs/search.db --data_dir path/to/mnre
    ... --trials 20                                                          # five by default, as in the paper
    ... --grid reconstruction_weight=1,0.1,0.01 num_layers=1,2,3             # any settings, in place of `OPEN`

What follows overrides settings, as in `train/run.py`. Points of the grid come in a random order that the seed fixes. A
trial that was finished is in the storage, so a stopped search goes on with the one that was running; asking for more
trials adds to those there are. The result file lists all of them. Needs `pip install -e ".[search]"`.
"""

import json
import shlex
import shutil
import sys
from dataclasses import fields, replace
from math import prod
from pathlib import Path
from typing import Any

import yaml
from tqdm.auto import tqdm
from transformers import set_seed

try:
    import optuna
    from optuna.storages import RetryHeartbeatStaleTrialCallback
    from optuna.trial import FrozenTrial, TrialState
except ImportError as error:
    raise ImportError('The search needs optuna: pip install -e ".[search]".') from error

from train.arguments import ModelArguments, RunArguments, parse_arguments, settings_parser
from train.data.inputs import add_visual_inputs, load_inputs
from train.data.rows import checksums
from train.model_factory import build_model, build_processor, make_trainer
from train.settings_parser import ParserBesideSettings
from train.trainer import PairTrainer
from vmhan import VMHANForRelationExtraction
from vmhan.evaluation.result_file import code_version, versions, write_result

TRIALS = 5
#: What the paper tuned without saying to what: the weights of equation 12, and the number of layers and heads. The
#: number of selected phrases changes the rows; it is compared by settings files and `train.compare`.
OPEN = {
    "reconstruction_weight": [1.0, 0.1, 0.01, 0.001],
    "kl_weight": [1.0, 0.1, 0.01, 0.001],
    "num_layers": [1, 2, 3],
    "num_attention_heads": [4, 8],
}
#: What makes the rows or batches, which are made once.
OF_ROWS = ("entity_markers", "max_length", "text_model", "vision_model")
Grid = dict[str, list[Any]]


def parse_grid(words: list[str]) -> Grid:
    """Reads `name=value,value ...`.

    Raises:
        ValueError: A name is no setting of the model or the training, or a word has no values.
    """
    known = {field.name for kind in (ModelArguments, RunArguments) for field in fields(kind)}
    grid = {}
    for word in words:
        name, _, values = word.partition("=")
        values = yaml.safe_load(f"[{values}]")
        if name not in known or not values:
            raise ValueError(f"{word!r} is no part of a grid; write <setting of model or training>=<value>,<value>.")
        if name in OF_ROWS:
            raise ValueError(
                f"{name} changes the rows, which all trials share; compare it with python -m train.compare."
            )
        grid[name] = values
    return grid


class Search:
    """The trials of a grid, each a training of its own.

    Args:
        argv: Settings as `train/run.py` takes them.
        grid: Values of each setting.
        storage: Where optuna keeps the trials, such as `sqlite:///search.db`.
        name: Of the search in the storage.

    Raises:
        ValueError: The storage holds a search of this name with another grid, settings or data.
    """

    def __init__(self, argv: list[str], grid: Grid, storage: str, name: str):
        self.data, self.model_settings, self.training = parse_arguments(argv)
        if self.training.world_size > 1:
            raise ValueError("The search runs in one process; start it without torchrun or accelerate launch.")
        self.argv, self.grid, self.storage, self.name = argv, grid, storage, name
        set_seed(self.training.seed)
        self.processor = build_processor(self.data, self.model_settings, self.training)
        self.inputs = load_inputs(self.data, self.training, self.processor)
        self.inputs.splits.pop("test")  # nothing here may look at it
        add_visual_inputs(self.inputs, self._build({}), self.processor, self.data, self.training)
        self.sampler = optuna.samplers.GridSampler(grid, seed=self.training.seed)
        self.study = optuna.create_study(**self._of_study(), direction="maximize")
        self._check_settings()

    def _of_study(self) -> dict[str, Any]:
        pruner = optuna.pruners.NopPruner()  # every point of the grid is trained to its end
        kept = {"study_name": self.name, "storage": self.storage, "load_if_exists": True}
        return kept | {"sampler": self.sampler, "pruner": pruner}

    def _check_settings(self) -> None:
        settings = {"argv": self.argv, "grid": self.grid, "data": checksums(self.data)}
        settings = json.loads(json.dumps(settings))
        known = self.study.user_attrs.get("settings", settings)
        if known != settings:
            raise ValueError(
                f"{self.storage} holds a search {self.name!r} with {known}, not {settings}; "
                "go on with those, or give this one another --name."
            )
        self.study.set_user_attr("settings", settings)

    def run(self, trials: int, result: Path) -> dict:
        """Trains until so many trials are finished or the grid is, and writes the result file after each."""
        self._retry_stopped()
        wanted = min(trials, prod(map(len, self.grid.values())))
        with tqdm(total=wanted, initial=len(self._finished()), desc="Trials") as progress:
            while len(self._finished()) < wanted:
                self._run_one()
                written = self.result()
                write_result(result, written)
                progress.update()
                progress.set_postfix(best=f"{written['best']['validation_f1']:.4f}")
        return self.result()

    def result(self) -> dict:
        """What the result file holds."""
        finished = [_describe(trial) for trial in self._finished()]
        return {
            "command": shlex.join(["python", "-m", "train.search", *sys.argv[1:]]),
            "settings": self.study.user_attrs["settings"],
            "seed": self.training.seed,
            **code_version(),
            "versions": {**versions(), "optuna": optuna.__version__},
            "points_of_the_grid": prod(map(len, self.grid.values())),
            "trials": finished,
            "best": max(finished, key=lambda trial: trial["validation_f1"], default=None),
        }

    def _finished(self) -> list[FrozenTrial]:
        return self.study.get_trials(states=(TrialState.COMPLETE,))

    def _retry_stopped(self) -> None:
        """Puts the points whose trial was killed or failed, and not finished since, before all others."""
        for trial in self.study.get_trials(states=(TrialState.RUNNING,)):
            self.study.tell(trial.number, state=TrialState.FAIL)
        live = self.study.get_trials(states=(TrialState.COMPLETE, TrialState.WAITING))
        known = [trial.system_attrs.get("grid_id") for trial in live]
        for trial in self.study.get_trials(states=(TrialState.FAIL,)):
            if trial.system_attrs.get("grid_id") not in known:
                known.append(trial.system_attrs.get("grid_id"))
                RetryHeartbeatStaleTrialCallback()(self.study, trial)

    def _run_one(self) -> None:
        trainer = self._make_trainer()
        trainer.hyperparameter_search(
            hp_space=self._suggest_training,
            compute_objective=lambda metrics: _objective(trainer, metrics),
            n_trials=1,
            direction="maximize",
            backend="optuna",
            **self._of_study(),
        )
        for folder in Path(self.training.output_dir).glob("run-*"):  # checkpoints of a trial are of no more use
            shutil.rmtree(folder)

    def _make_trainer(self) -> PairTrainer:
        """A new one for each trial, for callbacks keep what they counted."""
        return make_trainer(
            self.inputs,
            self.processor,
            self.data,
            replace(self.training),
            model_init=lambda trial: self._build(self._suggest(trial)),
        )

    def _suggest(self, trial: optuna.Trial | None) -> dict[str, Any]:
        """Values of the grid; none where the trainer builds a model before there is a trial."""
        if trial is None:
            return {}
        return {name: trial.suggest_categorical(name, values) for name, values in self.grid.items()}

    def _suggest_training(self, trial: optuna.Trial) -> dict[str, Any]:
        names = {field.name for field in fields(RunArguments)}
        return {name: value for name, value in self._suggest(trial).items() if name in names}

    def _build(self, suggested: dict[str, Any]) -> VMHANForRelationExtraction:
        names = {field.name for field in fields(ModelArguments)}
        of_model = {name: value for name, value in suggested.items() if name in names}
        settings = replace(self.model_settings, **of_model)
        labels, sentences = (self.inputs.label_names, self.inputs.no_relation), self.inputs.splits["train"]["words"]
        return build_model(settings, self.training, self.processor, *labels, sentences)


def _objective(trainer: PairTrainer, metrics: dict[str, float]) -> float:
    """F1 on validation, in the mode that users get, of the checkpoint that a run would keep."""
    name = next(name for name in ("eval_direction_unknown_f1", "eval_f1") if name in metrics)
    scores = [metrics[name]]
    if trainer.args.load_best_model_at_end:
        scores += [entry[name] for entry in trainer.state.log_history if name in entry]
    return max(scores)


def _describe(trial: FrozenTrial) -> dict[str, Any]:
    return {
        "number": trial.number,
        "settings": trial.params,
        "validation_f1": trial.value,
        "seconds": round(trial.duration.total_seconds(), 1),
    }


def main(argv: list[str]) -> dict:
    """Searches; returns what the result file holds."""
    parser = ParserBesideSettings(
        settings_parser(),
        prog="python -m train.search",
        usage="%(prog)s settings.yaml --storage STORAGE [option ...] [--name value ...]",
        description=__doc__.splitlines()[0],
    )
    parser.add_argument("--storage", required=True, help="where trials are kept: sqlite:///<file>")
    parser.add_argument("--trials", type=int, default=TRIALS, help="how many, those that are finished included")
    parser.add_argument("--grid", nargs="+", metavar="NAME=VALUE,VALUE", help="in place of the paper's open settings")
    parser.add_argument("--name", help="of the search; by default that of the settings file")
    parser.add_argument("--result", type=Path, help="result file, assets/results/search-<name>.json")
    args, settings = parser.parse_known_args(argv)
    name = args.name or Path(settings[0]).stem if settings else args.name
    grid = parse_grid(args.grid) if args.grid else OPEN
    if args.storage.startswith("sqlite:///"):
        Path(args.storage.removeprefix("sqlite:///")).absolute().parent.mkdir(parents=True, exist_ok=True)
    result = args.result or Path("assets/results") / f"search-{name}.json"
    found = Search(settings, grid, args.storage, name).run(args.trials, result)
    for trial in sorted(found["trials"], key=lambda trial: -trial["validation_f1"]):
        print(f"{100 * trial['validation_f1']:.2f}", *(f"{key}={value}" for key, value in trial["settings"].items()))
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
