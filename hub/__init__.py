"""To and from the Hugging Face Hub: models, model cards, data sets, Spaces and endpoints."""

from vmhan.cli.extras import require, running_command

# The card of a Space names the version of Gradio; it needs nothing else.
require("hub", "demo" if running_command() == "hub.space" else "train")
