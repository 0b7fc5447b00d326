"""One finished run that several files of tests look at."""

import pytest
from training_fixture import write_settings


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    """Folder and result of a tiny, uninterrupted run; nothing may be written there."""
    from train import run  # here, so that no test waits for it without need

    folder = tmp_path_factory.mktemp("finished")
    return folder, run.main([write_settings(folder)])


@pytest.fixture(scope="session")
def finished_words(finished_run):
    """The command line that evaluates the finished run elsewhere."""
    folder, _ = finished_run

    def words(results, *settings) -> list[str]:
        checkpoint = str(folder / "run" / "final")
        return [str(folder / "settings.yaml"), "--checkpoint", checkpoint, "--results_dir", str(results), *settings]

    return words
