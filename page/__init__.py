"""The page of VM-HAN; `app.py` serves it."""

try:
    import spaces  # where Hugging Face lends a GPU for each request; it has to come before torch
except ImportError:
    spaces = None

__all__ = ["spaces"]
