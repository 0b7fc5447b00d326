"""Examples of the page: their catalog, their drawings and their events."""
