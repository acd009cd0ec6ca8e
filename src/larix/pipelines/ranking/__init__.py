"""Ranking: from clusters to labels."""

from larix.pipelines.ranking.pipeline import create_pipeline

__all__ = ["create_pipeline"]
