"""Disentanglement: rounds in which labels get further clusters."""

from larix.pipelines.disentanglement.pipeline import create_pipeline, last_round

__all__ = ["create_pipeline", "last_round"]
