"""Vectorization: from texts to sparse instances."""

from larix.pipelines.vectorization.pipeline import create_pipeline

__all__ = ["create_pipeline"]
