from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse as sp

from larix.corpora import Corpus, CorpusPart, corpus_from_texts
from larix.xmc.persistence import ModelFolderError

SUMMARY_KEYS = {
    "name",
    "n_train",
    "n_test",
    "n_labels",
    "n_features",
    "labels_per_document",
    "labels_per_test_document",
    "documents_per_label",
    "words_per_document",
    "n_labels_unseen_in_training",
    "n_test_labels_unseen_in_training",
    "n_train_empty",
    "n_test_empty",
    "n_train_without_labels",
    "n_test_without_labels",
    "n_test_repeating_train",
    "n_test_dropped",
}


@pytest.fixture
def corpus() -> Corpus:
    return corpus_from_texts(
        ["red fox", " ", "blue sky", "no label"],
        [["animal", "colour"], ["void"], ["colour"], []],
        ["a fox", "blue sky", ""],
        [["animal", "fur"], ["colour"], []],
        name="toy",
        label_names={"animal": "Animals"},
    )


def feature_part(values=(1.0, 2.0), labels=((1, 0), (0, 1))) -> CorpusPart:
    return CorpusPart.from_columns(
        ids=["a", "b"],
        labels=sp.csr_array(np.array(labels, np.float32)),
        features=sp.csr_array(np.diag(np.array(values, np.float32))),
    )


def test_labels_have_one_fixed_order_over_both_parts(corpus):
    assert corpus.label_ids == ["animal", "colour", "fur", "void"]
    assert corpus.label_names == ["Animals", "colour", "fur", "void"]
    assert corpus.label_texts is None
    assert corpus.train.labels.toarray().tolist() == [[1, 1, 0, 0], [0, 0, 0, 1], [0, 1, 0, 0], [0, 0, 0, 0]]
    assert corpus.test.labels.toarray().tolist() == [[1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]]


def test_a_label_is_told_by_its_text_or_else_its_name_but_not_by_its_identifier(corpus):
    assert corpus.label_descriptions == ["Animals", "", "", ""]
    table = corpus.label_table.append_column("text", [["", "colour", "hair of animals", ""]])
    told = replace(corpus, label_table=table)
    assert told.label_descriptions == ["Animals", "colour", "hair of animals", ""]


def test_labels_that_are_numbers_are_ordered_as_numbers():
    corpus = corpus_from_texts(["a", "b"], [["10", "9"], ["09", "100"]])
    assert corpus.label_ids == ["09", "9", "10", "100"]


def test_matrices_are_canonical_float32(corpus):
    labels = corpus.train.labels
    assert labels.dtype == np.float32
    assert labels.has_canonical_format
    assert corpus.train.features is None
    assert feature_part().texts is None


def test_the_summary_counts_what_is_dirty(corpus):
    summary = corpus.summary()
    assert set(summary) == SUMMARY_KEYS
    assert summary["n_train"] == 4
    assert summary["n_test"] == 3
    assert summary["n_labels"] == 4
    assert summary["labels_per_document"] == 1.0
    assert summary["documents_per_label"] == 1.33
    assert summary["words_per_document"] == 1.5
    assert summary["n_labels_unseen_in_training"] == 1
    assert summary["n_test_labels_unseen_in_training"] == 1
    assert summary["n_train_empty"] == summary["n_test_empty"] == 1
    assert summary["n_train_without_labels"] == summary["n_test_without_labels"] == 1
    assert summary["n_test_repeating_train"] == 1


def test_the_summary_of_given_features_counts_repeated_rows():
    labels = pa.table({"id": ["x", "y"], "name": ["x", "y"]})
    corpus = Corpus("features", feature_part((1.0, 2.0)), feature_part((1.0, 3.0)), labels)
    summary = corpus.summary()
    assert summary["n_features"] == 2
    assert summary["features_per_document"] == 1.0
    assert summary["n_test_repeating_train"] == 1
    assert "words_per_document" not in summary


@pytest.mark.parametrize("kind", ["texts", "features"])
def test_saving_and_loading_gives_the_same_corpus(kind, corpus, tmp_path):
    if kind == "features":
        part = feature_part(labels=((0.5, 0), (0, 2)))
        corpus = Corpus(
            "features", part, part, pa.table({"id": ["x", "y"], "name": ["x", "y"]}), n_test_dropped=3
        )
    corpus.save(tmp_path / "corpus")
    loaded = Corpus.load(tmp_path / "corpus")
    assert loaded == corpus
    assert loaded.summary() == corpus.summary()
    np.testing.assert_array_equal(loaded.train.labels.toarray(), corpus.train.labels.toarray())


def test_saving_twice_writes_the_same_bytes(corpus, tmp_path):
    for name in ("one", "two"):
        corpus.save(tmp_path / name)
    for name in ("train.parquet", "test.parquet", "labels.parquet"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_damaged_folder_names_its_file(corpus, tmp_path):
    corpus.save(tmp_path / "corpus")
    file = tmp_path / "corpus" / "train.parquet"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(ModelFolderError, match=r"train\.parquet"):
        Corpus.load(tmp_path / "corpus")


def test_a_slice_keeps_only_the_labels_that_occur(corpus):
    part = corpus.select(np.array([2]), np.array([1, 2]))
    assert part.train.texts == ["blue sky"]
    assert part.test.texts == ["blue sky", ""]
    assert part.label_ids == ["colour"]
    assert part.test.labels.toarray().tolist() == [[1], [0]]


def test_limiting_is_seeded_and_keeps_the_proportion_of_the_parts():
    texts = [f"text {i}" for i in range(100)]
    corpus = corpus_from_texts(texts, [[str(i % 7)] for i in range(100)], texts[:50], [["1"]] * 50)
    limited = corpus.limit(30, random_state=1)
    assert (len(limited.train), len(limited.test)) == (20, 10)
    assert limited == corpus.limit(30, random_state=1)
    assert limited != corpus.limit(30, random_state=2)
    assert limited.train.ids == sorted(limited.train.ids, key=int)
    assert corpus.limit(150) is corpus


def test_limiting_keeps_a_training_document():
    corpus = corpus_from_texts(["a"], [["x"]], ["b"] * 9, [["x"]] * 9)
    assert (len(corpus.limit(1).train), len(corpus.limit(1).test)) == (1, 0)
    assert (len(corpus.limit(2).train), len(corpus.limit(2).test)) == (1, 1)
    with pytest.raises(ValueError, match="at least 1, but is 0"):
        corpus.limit(0)


def part_table(**changes):
    columns = {
        "id": pa.array(["a", "b"], pa.large_string()),
        "text": pa.array(["x", "y"], pa.large_string()),
        "labels": pa.array([[0, 1], [2]], pa.large_list(pa.int32())),
        "relevance": pa.array([[1, 0.5], [2]], pa.large_list(pa.float32())),
    }
    columns |= changes
    return pa.table({name: column for name, column in columns.items() if column is not None})


FLOATS = pa.large_list(pa.float32())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"labels": pa.array([[0, 3], [2]])}, "labels must lie in 0..2, but row 0 has 3"),
        ({"labels": pa.array([[0, 1], [-1]])}, "labels must lie in 0..2, but row 1 has -1"),
        ({"labels": pa.array([[1, 0], [2]])}, "row 0 has 0 after 1"),
        ({"labels": pa.array([[1, 1], [2]])}, "row 0 has 1 after 1"),
        ({"labels": pa.array([[0], [2]])}, "relevance must be as long as labels, but row 0 has 2 beside 1"),
        ({"labels": pa.array([[0, None], [2]])}, "'labels' .* holds a null"),
        ({"labels": pa.array([None, [2]], pa.large_list(pa.int32()))}, "'labels' .* holds a null"),
        ({"labels": pa.array(["a", "b"])}, "columns of a corpus table"),
        ({"labels": None}, "needs the column 'labels'"),
        (
            {"relevance": pa.array([[1, float("nan")], [2]], FLOATS)},
            "relevance must be positive and finite, but row 0",
        ),
        (
            {"relevance": pa.array([[1, 1], [0]], FLOATS)},
            "relevance must be positive and finite, but row 1 has 0",
        ),
        ({"text": None}, "needs the column 'text'"),
        ({"text": pa.array(["x", None])}, "'text' .* holds a null"),
        ({"title": pa.array(["x", "y"])}, "has 'title'"),
        (
            {"feature_index": pa.array([[0], [0]]), "feature_value": pa.array([[1.0], [1.0]])},
            "needs n_features",
        ),
    ],
)
def test_a_part_that_breaks_a_rule_is_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        CorpusPart(part_table(**changes), 3)


def test_features_must_be_in_range_and_finite():
    with pytest.raises(ValueError, match=r"feature_value must be finite, but row 1 has inf"):
        feature_part((1.0, np.inf))
    table = feature_part().table
    with pytest.raises(ValueError, match=r"feature_index must lie in 0\.\.0, but row 1 has 1"):
        CorpusPart(table, 2, n_features=1)


def test_parts_and_labels_must_fit_each_other(corpus):
    with pytest.raises(ValueError, match="both parts must have one n_labels"):
        Corpus("bad", corpus.train, CorpusPart(corpus.test.table, 9), corpus.label_table)
    with pytest.raises(ValueError, match="3 rows for 4 labels"):
        Corpus("bad", corpus.train, corpus.test, corpus.label_table.slice(1))
    twice = pa.table({"id": ["fur", "fur", "a", "b"], "name": [""] * 4})
    with pytest.raises(ValueError, match="'fur' occurs twice"):
        Corpus("bad", corpus.train, corpus.test, twice)


def test_texts_and_label_lists_must_be_as_many():
    with pytest.raises(ValueError, match="1 texts and 2 lists"):
        corpus_from_texts(["a"], [["x"], ["y"]])
    with pytest.raises(ValueError, match="needs training documents"):
        corpus_from_texts([], [])


@pytest.fixture
def corrected(corpus) -> Corpus:
    """The corpus with `void` rejected for the first document and `fur` for the third."""
    rejected = sp.csr_array(([1.0, 1.0], ([0, 2], [3, 2])), shape=(4, 4), dtype=np.float32)
    train = CorpusPart.from_columns(
        ids=corpus.train.ids, labels=corpus.train.labels, texts=corpus.train.texts, rejected=rejected
    )
    return Corpus(corpus.name, train, corpus.test, corpus.label_table)


def test_rejected_labels_are_kept_on_disk_and_counted(corrected, tmp_path):
    corrected.save(tmp_path / "corpus")
    loaded = Corpus.load(tmp_path / "corpus")
    assert loaded.train.rejected.toarray().tolist() == corrected.train.rejected.toarray().tolist()
    assert loaded.train.rejected.nnz == 2
    assert loaded.test.rejected.shape == (3, 4)
    assert loaded.summary()["n_train_rejected"] == 2


def test_rejected_labels_that_no_document_has_go_with_their_columns(corrected):
    chosen = corrected.select(np.array([0, 2]), np.array([1]))
    assert chosen.label_ids == ["animal", "colour"]
    assert chosen.train.rejected.nnz == 0
    chosen = corrected.select(np.array([0, 1]), np.array([0]))
    assert chosen.label_ids == ["animal", "colour", "fur", "void"]
    assert chosen.train.rejected.toarray().tolist() == [[0, 0, 0, 1], [0, 0, 0, 0]]


def test_a_label_that_is_given_and_rejected_is_refused(corpus):
    labels = corpus.train.labels
    with pytest.raises(ValueError, match="has a label or rejects it, but row 0 does both with label 0"):
        CorpusPart.from_columns(
            ids=corpus.train.ids, labels=labels, texts=corpus.train.texts, rejected=labels
        )
