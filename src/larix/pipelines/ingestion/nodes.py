"""Read a corpus and describe it."""

from typing import Any

from larix.corpora import Corpus, CorpusParams, read_corpus


def ingest_corpus(params: CorpusParams) -> Corpus:
    """Read texts or features, label sets, label names and the split."""
    return read_corpus(params)


def summarize_corpus(corpus: Corpus) -> dict[str, Any]:
    """Count what the corpus holds."""
    return corpus.summary()
