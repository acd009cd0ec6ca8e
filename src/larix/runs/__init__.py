"""Finished runs: what is kept of each, how they are found, compared and cleared."""
