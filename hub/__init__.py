"""To and from the Hugging Face Hub: models, model cards, data sets, Spaces and endpoints."""
