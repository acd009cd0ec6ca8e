"""What the service counts and measures, in the form that Prometheus reads.

With several worker processes each counts in files of a shared folder, and any of them answers for all. The
library looks for that folder, `PROMETHEUS_MULTIPROC_DIR`, when it is imported.
"""

import os

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
disable_created_metrics()

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_TEXTS = (1, 2, 4, 8, 16, 32, 64, 128)


class ServiceMetrics:
    """Counters, histograms and gauges of one process."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self.requests = Counter("larix_requests", "Requests answered.", ["path", "status"], registry=registry)
        self.request_seconds = Histogram(
            "larix_request_seconds", "From the first byte of a request to its answer.", ["path"],
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self.texts = Counter("larix_texts", "Texts that the classifier answered.", registry=registry)
        self.batch_texts = Histogram(
            "larix_batch_texts", "Texts that were answered together.", buckets=_TEXTS, registry=registry
        )
        self.model_seconds = Histogram(
            "larix_model_seconds",
            "Time the classifier took for a batch.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.waiting_texts = Gauge(
            "larix_waiting_texts", "Texts that wait.", multiprocess_mode="livesum", registry=registry
        )
        self.reloads = Counter(
            "larix_model_reloads", "Exchanges of the model.", ["result"], registry=registry
        )
        self.loaded_at = Gauge(
            "larix_model_loaded_timestamp_seconds", "When the model was loaded, of the oldest worker.",
            multiprocess_mode="livemin", registry=registry,
        )  # fmt: skip

    def render(self) -> bytes:
        """All of them, of all processes, as text."""
        registry = self._registry
        if FOLDER_VARIABLE in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)
        return generate_latest(registry)
