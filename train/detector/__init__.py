"""Training of the bundled object detector."""

from importlib.util import find_spec

for _name in ("pyarrow", "pycocotools"):
    if find_spec(_name) is None:
        raise ImportError(f'Training a detector needs {_name}: pip install -e ".[detector]".')
