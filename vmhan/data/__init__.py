"""Data sets, read to one schema: a row for each entity pair."""

from importlib.util import find_spec

if find_spec("datasets") is None:
    raise ImportError('vmhan.data needs datasets: pip install "vmhan[train]".')
