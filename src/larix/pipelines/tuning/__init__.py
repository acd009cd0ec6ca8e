"""Tuning: a study of the linear path's parameters on held-out training documents."""

from larix.pipelines.tuning.pipeline import create_pipeline

__all__ = ["create_pipeline"]
