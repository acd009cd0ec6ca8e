"""Studies: which settings are worth it, found with Optuna, and nothing trained twice."""
