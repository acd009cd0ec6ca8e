"""What features and trees are worth: their rows and their table."""

import pytest

from benchmarks.features import ROWS, Rows, measure, table
from benchmarks.fine_tuning import Documents
from larix.corpora import corpus_from_texts
from larix.xmc.transformer.encoder import SentenceEncoder
from tests.conftest import tiny_documents

pytestmark = pytest.mark.filterwarnings("default")  # of torch and transformers


def test_every_row_is_measured(encoder_folder):
    documents = tiny_documents()
    texts, labels = [row["text"] for row in documents], [row["labels"] for row in documents]
    corpus = corpus_from_texts(texts, labels, texts[:8], labels[:8])
    encoder = SentenceEncoder(encoder_folder, max_tokens=12, n_threads=1)
    rows = Rows(Documents.of(corpus, [], 0), encoder)
    assert rows.joined(("words", "embedding"))[0].shape[1] == rows.joined(("words",))[0].shape[1] + 16
    results = {row: {"0": measure(rows, row, 0), "1": measure(rows, row, 1)} for row in ROWS}
    assert results["words"]["0"]["P@1"] == 1
    lines = table(results).splitlines()
    assert len(lines) == 2 + len(ROWS)
    assert lines[2].startswith("| words | 100.00 ± 0.00 | ")
