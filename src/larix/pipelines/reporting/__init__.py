"""Reporting: figures and a page."""

from larix.pipelines.reporting.pipeline import create_pipeline

__all__ = ["create_pipeline"]
