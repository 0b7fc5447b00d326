"""Training and evaluation of VM-HAN and of the systems it is compared with."""

from importlib.util import find_spec

for _name in ("accelerate", "datasets", "scipy", "sklearn"):
    if find_spec(_name) is None:
        raise ImportError(f'Training needs {_name}: pip install -e ".[train]".')
