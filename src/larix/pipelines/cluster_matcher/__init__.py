"""Cluster matcher: from a pretrained encoder to one that finds the clusters of a text."""

from larix.pipelines.cluster_matcher.pipeline import create_pipeline

__all__ = ["create_pipeline"]
