"""Matcher training: from instances to clusters."""

from larix.pipelines.matcher_training.pipeline import create_pipeline

__all__ = ["create_pipeline"]
