"""Tables and figures, made from the result files."""
