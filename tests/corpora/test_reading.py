import json
import os
from pathlib import Path

import pytest
import yaml

from larix.corpora import CorpusFormatError, CorpusParams, read_corpus

CONF = Path(__file__).parents[2] / "conf"


def write(folder, rows, name="train.jsonl"):
    (folder / name).write_text(
        "\n".join(json.dumps({"text": text, "labels": labels}) for text, labels in rows)
    )


def params(folder, **changes):
    return CorpusParams(
        **({"format": "jsonl", "folder": str(folder), "files": {"train": "train.jsonl"}} | changes)
    )


def test_without_a_test_file_a_seeded_part_is_held_out(tmp_path):
    write(tmp_path, [(f"text {i}", [str(i)]) for i in range(40)])
    corpus = read_corpus(params(tmp_path, split={"test_fraction": 0.25}))
    assert (len(corpus.train), len(corpus.test)) == (30, 10)
    assert sorted([*corpus.train.ids, *corpus.test.ids], key=int) == [str(i) for i in range(40)]
    assert corpus == read_corpus(params(tmp_path, split={"test_fraction": 0.25}))
    other = read_corpus(params(tmp_path, split={"test_fraction": 0.25, "random_state": 1}))
    assert other.test.ids != corpus.test.ids


@pytest.mark.parametrize(
    ("fraction", "n_documents", "n_test"), [(0.0, 5, 0), (0.1, 3, 1), (0.9, 1, 0), (0.9, 2, 1)]
)
def test_a_split_leaves_something_for_both_parts(fraction, n_documents, n_test, tmp_path):
    write(tmp_path, [("text", ["x"])] * n_documents)
    corpus = read_corpus(params(tmp_path, split={"test_fraction": fraction}))
    assert len(corpus.test) == n_test


def test_test_documents_that_repeat_training_are_counted_or_dropped(tmp_path):
    write(tmp_path, [("a b", ["x"]), ("c", ["y"]), ("", [])])
    write(tmp_path, [(" a b\n", ["z"]), ("A b", ["x"]), ("", ["x"])], "test.jsonl")
    files = {"train": "train.jsonl", "test": "test.jsonl"}
    kept = read_corpus(params(tmp_path, files=files))
    assert kept.summary()["n_test_repeating_train"] == 1
    dropped = read_corpus(params(tmp_path, files=files, split={"drop_test_duplicates": True}))
    assert dropped.test.texts == ["A b", ""]
    assert dropped.summary()["n_test_repeating_train"] == 0
    assert dropped.summary()["n_test_dropped"] == 1


def test_a_filter_that_leaves_nothing_is_told(tmp_path):
    write(tmp_path, [("a", ["x"])])
    with pytest.raises(ValueError, match="'train' has none; check files and filter"):
        read_corpus(params(tmp_path, columns={"where": {"text": "b"}}))


def test_a_corpus_without_labels_is_refused(tmp_path):
    (tmp_path / "bare.csv").write_text("text,labels\na,\nb,\n")
    with pytest.raises(CorpusFormatError, match="some training document has a label, but found none"):
        read_corpus(CorpusParams(format="csv", folder=tmp_path, files={"train": "bare.csv"}))


def test_the_name_and_the_slice_come_from_the_parameters(tmp_path):
    write(tmp_path, [(f"text {i}", [str(i)]) for i in range(100)])
    corpus = read_corpus(params(tmp_path, name="numbers", max_documents=50))
    assert corpus.name == "numbers"
    assert (len(corpus.train), len(corpus.test), corpus.n_labels) == (45, 5, 50)


def test_a_missing_file_is_told_before_anything_is_read(tmp_path):
    write(tmp_path, [("a", ["x"])])
    with pytest.raises(FileNotFoundError, match=r"did you mean 'train\.jsonl'"):
        read_corpus(params(tmp_path, files={"train": "trains.jsonl"}))


def test_an_error_names_the_file_in_the_data_folder(tmp_path):
    (tmp_path / "train.jsonl").write_text('{"text": "a", "labels": [}')
    with pytest.raises(CorpusFormatError) as caught:
        read_corpus(params(tmp_path))
    assert str(caught.value).startswith(f"{tmp_path}/train.jsonl:1:26: a line is one JSON object, but found ")


COUNTS = {
    "bibtex": {
        "n_train": 4_880,
        "n_test": 2_515,
        "n_labels": 159,
        "n_features": 1_836,
        "n_test_repeating_train": 21,
    },
    "tibkat": {"n_train": 90_452, "n_test": 19_584, "n_test_dropped": 365, "labels_per_document": 2.85},
    "tibkat_en": {"n_train": 41_333, "n_test": 9_451, "n_test_dropped": 221},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", COUNTS)
def test_the_real_corpora_have_their_known_counts(name):
    folder = Path(os.environ.get("LARIX_DATA", ""), name.removesuffix("_en"))
    if not os.environ.get("LARIX_DATA") or not folder.is_dir():
        pytest.skip(f"needs the corpus {name} in the folder that LARIX_DATA names")
    file = CONF / name / "parameters_ingestion.yml"
    summary = read_corpus(CorpusParams(**yaml.safe_load(file.read_text())["ingestion"])).summary()
    assert {key: summary[key] for key in COUNTS[name]} == COUNTS[name]
