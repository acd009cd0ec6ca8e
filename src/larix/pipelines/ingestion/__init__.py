"""Ingestion: from files to a `Corpus`."""

from larix.pipelines.ingestion.pipeline import create_pipeline

__all__ = ["create_pipeline"]
