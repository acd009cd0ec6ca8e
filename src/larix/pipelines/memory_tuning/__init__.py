"""Memory tuning: from an encoder to top layers that a memory of documents sees with."""

from larix.pipelines.memory_tuning.pipeline import create_pipeline

__all__ = ["create_pipeline"]
