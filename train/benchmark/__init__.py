"""Speed and memory, beside naive runs."""
