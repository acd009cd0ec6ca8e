"""Evaluation: from predictions to metrics, and the classifier that carries them."""

from larix.pipelines.evaluation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
