"""Inference: suggestions for new texts from the last classifier."""

from larix.pipelines.inference.pipeline import create_pipeline

__all__ = ["create_pipeline"]
