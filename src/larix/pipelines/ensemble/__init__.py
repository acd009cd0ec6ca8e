"""Ensemble: further trees beside the first."""

from larix.pipelines.ensemble.pipeline import create_pipeline

__all__ = ["create_pipeline"]
