"""The page of VM-HAN, one job for each file; `app.py` starts it."""

try:
    import spaces  # where Hugging Face lends a GPU for each question; it has to come before torch
except ImportError:
    spaces = None

__all__ = ["spaces"]
