"""Scores, intervals, calibration, result files and their tables; one place for training, Hub and docs."""

from importlib.util import find_spec

for _name in ("datasets", "scipy", "sklearn"):
    if find_spec(_name) is None:
        raise ImportError(f'vmhan.evaluation needs {_name}: pip install "vmhan[train]".')
