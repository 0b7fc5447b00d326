"""No test needs the network: without it, the Hub's client would try again for minutes before it gave up."""

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
