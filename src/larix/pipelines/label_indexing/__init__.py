"""Label indexing: from labels to a label tree."""

from larix.pipelines.label_indexing.pipeline import create_pipeline

__all__ = ["create_pipeline"]
