"""Large language models: those that select nodes, and those that describe images."""
