"""Refinement: from the tree's scores to those that are shown."""

from larix.pipelines.refinement.pipeline import create_pipeline

__all__ = ["create_pipeline"]
