"""Large language models that select nodes or describe images."""
