"""Grid search over what the paper leaves open, on the validation split; the test split is never read.

    python -m train.search train/configs/mnre/mini.yaml --storage sqlite:///outputs/search.db --data_dir path/to/mnre
    ... --trials 20                                                          # five by default, as in the paper
    ... --grid reconstruction_weight=1,0.1,0.01 num_layers=1,2,3             # in place of `OPEN_SETTINGS`

What follows overrides settings, as in `train/run.py`. Points of the grid come in a random order that the seed fixes. A
trial that was finished is in the storage, so a stopped search goes on with the one that was running; asking for more
trials adds to those there are. The result file lists all of them. Needs `pip install -e ".[search]"`.
"""

import json
import shlex
import shutil
import sys
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm
from transformers import set_seed

from vmhan.cli.extras import require

try:
    import optuna
    from optuna.storages import RetryHeartbeatStaleTrialCallback
    from optuna.trial import FrozenTrial, TrialState
except ImportError:
    require("train.search", "search")
    raise

from train.arguments import RunConfig, read_config, settings_parser
from train.data.inputs import add_visual_inputs, prepare_rows
from train.data.rows import check_data, checksums
from train.model_factory import build_model, build_processor, build_trainer
from train.outputs import lock_output
from train.search_grid import MODEL_SETTINGS, OPEN_SETTINGS, TRAINING_SETTINGS, Grid, parse_grid
from train.settings_parser import ParserBesideSettings, SettingsError, usage_errors
from train.trainer import PairTrainer
from vmhan import VMHANForRelationExtraction
from vmhan.evaluation.result_file import code_version, versions, write_result

TRIALS = 5


class Search:
    """The trials of a grid, each a training of its own.

    Args:
        config: Settings as `train/run.py` takes them.
        grid: Values of each setting.
        storage: Where optuna stores the trials, such as `sqlite:///search.db`.
        name: Of the search in the storage.

    Raises:
        SettingsError: The storage holds a search of this name with another grid, settings or data.
    """

    def __init__(self, config: RunConfig, grid: Grid, storage: str, name: str):
        if config.training.world_size > 1:
            raise SettingsError("The search runs in one process; start it without torchrun or accelerate launch.")
        self.config, self.grid, self.storage, self.name = config, grid, storage, name
        set_seed(config.training.seed)
        self.processor = build_processor(config)
        self.inputs = prepare_rows(config, self.processor)
        self.inputs.splits.pop("test")  # nothing here may read it
        add_visual_inputs(self.inputs, self._build_model({}), self.processor, config)
        self.sampler = optuna.samplers.GridSampler(grid, seed=config.training.seed)
        self.study = optuna.create_study(**self._study_settings(), direction="maximize")
        self._check_settings()

    def _study_settings(self) -> dict[str, Any]:
        pruner = optuna.pruners.NopPruner()  # every point of the grid is trained to its end
        stored = {"study_name": self.name, "storage": self.storage, "load_if_exists": True}
        return stored | {"sampler": self.sampler, "pruner": pruner}

    def _check_settings(self) -> None:
        settings = {"argv": self.config.argv, "grid": self.grid, "data": checksums(self.config.data)}
        settings = json.loads(json.dumps(settings))
        known = self.study.user_attrs.get("settings", settings)
        if known != settings:
            raise SettingsError(
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
        """Builds the content of the result file."""
        finished = [_describe(trial) for trial in self._finished()]
        return {
            "command": shlex.join(["python", "-m", "train.search", *sys.argv[1:]]),
            "settings": self.study.user_attrs["settings"],
            "seed": self.config.training.seed,
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
        trainer = self._build_trainer()
        trainer.hyperparameter_search(
            hp_space=self._suggest_training,
            compute_objective=lambda metrics: _objective(trainer, metrics),
            n_trials=1,
            direction="maximize",
            backend="optuna",
            **self._study_settings(),
        )
        for folder in Path(self.config.training.output_dir).glob("run-*"):  # checkpoints of a trial are of no more use
            shutil.rmtree(folder)

    def _build_trainer(self) -> PairTrainer:
        """Builds a new trainer for each trial, for callbacks keep what they counted."""
        config = replace(self.config, training=replace(self.config.training))
        init = {"model_init": lambda trial: self._build_model(self._suggest(trial))}
        return build_trainer(config, self.inputs, self.processor, **init)

    def _suggest(self, trial: optuna.Trial | None) -> dict[str, Any]:
        """Suggests a point of the grid; nothing where the trainer builds a model before there is a trial."""
        if trial is None:
            return {}
        return {name: trial.suggest_categorical(name, values) for name, values in self.grid.items()}

    def _suggest_training(self, trial: optuna.Trial) -> dict[str, Any]:
        return {name: value for name, value in self._suggest(trial).items() if name in TRAINING_SETTINGS}

    def _build_model(self, suggested: dict[str, Any]) -> VMHANForRelationExtraction:
        of_model = {name: value for name, value in suggested.items() if name in MODEL_SETTINGS}
        config = replace(self.config, model=replace(self.config.model, **of_model))
        return build_model(config, self.processor, self.inputs)


def _objective(trainer: PairTrainer, metrics: dict[str, float]) -> float:
    """Finds F1 on validation, in the mode that users get, of the checkpoint that a run would keep."""
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
    """Runs the search; returns the content of the result file."""
    parser = ParserBesideSettings(
        settings_parser(),
        prog="python -m train.search",
        usage="%(prog)s settings.yaml --storage STORAGE [option ...] [--name value ...]",
        description=__doc__.splitlines()[0],
    )
    parser.add_argument("--storage", required=True, help="where trials are stored: sqlite:///<file>")
    parser.add_argument("--trials", type=int, default=TRIALS, help="how many, those that are finished included")
    parser.add_argument("--grid", nargs="+", metavar="NAME=VALUE,VALUE", help="in place of the paper's open settings")
    parser.add_argument("--name", help="of the search; by default that of the settings file")
    parser.add_argument("--result", type=Path, help="result file, assets/results/search-<name>.json")
    args, settings = parser.parse_known_args(argv)
    config, name = read_config(settings), args.name or Path(settings[0]).stem
    check_data(config.data)
    grid = parse_grid(args.grid) if args.grid else OPEN_SETTINGS
    if args.storage.startswith("sqlite:///"):
        Path(args.storage.removeprefix("sqlite:///")).absolute().parent.mkdir(parents=True, exist_ok=True)
    result = args.result or Path("assets/results") / f"search-{name}.json"
    with lock_output(config.training.output_dir):
        found = Search(config, grid, args.storage, name).run(args.trials, result)
    for trial in sorted(found["trials"], key=lambda trial: -trial["validation_f1"]):
        print(f"{100 * trial['validation_f1']:.2f}", *(f"{key}={value}" for key, value in trial["settings"].items()))
    return found


if __name__ == "__main__":
    with usage_errors("train.search"):
        main(sys.argv[1:])
