"""Ingestion: parameters -> corpus -> corpus_summary."""

from kedro.pipeline import Pipeline, node

from larix.pipelines.ingestion.nodes import ingest_corpus, summarize_corpus


def create_pipeline() -> Pipeline:
    """Nodes that read the corpus."""
    return Pipeline(
        [
            node(ingest_corpus, "params:ingestion", "corpus", name="read_corpus"),
            node(summarize_corpus, "corpus", "corpus_summary", name="summarize_corpus"),
        ],
        namespace="ingestion",
        prefix_datasets_with_namespace=False,
        tags="ingestion",
    )
