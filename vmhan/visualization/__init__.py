"""Drawings of an answer: boxes on an image, and the hypergraph of a pair."""
