"""What the page shows: HTML and SVG out of answers."""
