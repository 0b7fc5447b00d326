"""The examples of the page, and the drawings that stand in for photographs."""
