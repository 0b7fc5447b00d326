"""Tables and figures out of result files."""
