"""Encoder tuning: from a pretrained encoder to one that knows the corpus."""

from larix.pipelines.encoder_tuning.pipeline import create_pipeline

__all__ = ["create_pipeline"]
