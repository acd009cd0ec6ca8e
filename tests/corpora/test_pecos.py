import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from larix.corpora import CorpusFormatError, CorpusParams, read_corpus
from larix.corpora.documents import LabelVocabulary
from larix.corpora.pecos import read_pecos
from tests.corpora.strategies import relevances, texts


def write(folder, content, name="train.txt"):
    path = folder / name
    path.write_bytes(content.encode())
    return path


def read(path, n_labels=None):
    vocabulary = LabelVocabulary()
    documents = read_pecos(path, vocabulary, n_labels=n_labels)
    return documents, vocabulary.labels()


def label_sets(documents, label_ids):
    labels = documents.labels
    return [
        {label_ids[column]: float(labels[[row], [column]][0]) for column in labels[[row]].indices}
        for row in range(labels.shape[0])
    ]


one_line = texts.map(lambda text: text.replace("\n", " ").replace("\r", " "))
documents_of_one_line = st.lists(
    st.tuples(one_line, st.dictionaries(st.integers(0, 2**31 - 2), relevances, max_size=4)),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(documents_of_one_line)
def test_what_is_written_is_read_back(tmp_path_factory, given_documents):
    lines = [
        ",".join(f"{label}::{value!r}" for label, value in labels.items()) + f"\t{text}"
        for text, labels in given_documents
    ]
    path = write(tmp_path_factory.mktemp("pecos"), "\n".join(lines))
    documents, label_ids = read(path)
    assert documents.texts == [text.strip() for text, _ in given_documents]
    assert label_sets(documents, label_ids) == [
        {str(label): value for label, value in labels.items()} for _, labels in given_documents
    ]


def test_labels_have_relevance_one_unless_it_is_given(tmp_path):
    documents, label_ids = read(write(tmp_path, "7,3::0.5, 07\ta text\twith a tab\n\tno label\n\n"))
    assert documents.texts == ["a text\twith a tab", "no label"]
    assert label_sets(documents, label_ids) == [{"7": 1.0, "3": 0.5}, {}]
    assert documents.oddities["blank lines"] == 1
    assert documents.oddities["labels repeated in a document"] == 1


@pytest.mark.parametrize(
    ("content", "line", "column", "said"),
    [
        ("", 1, 1, "content"),
        ("\n \n", 1, 1, "has documents"),
        ("1\ta\n2 b\n", 2, 4, "no tab"),
        ("1\ta\n2,x\tb\n", 2, 3, "'x'"),
        ("1,,2\ta\n", 1, 3, "nothing"),
        ("1,2,\ta\n", 1, 5, "nothing"),
        ("-1\ta\n", 1, 1, "-1"),
        ("1.5\ta\n", 1, 1, "'1.5'"),
        ("5\ta\n", 1, 1, "count from 0"),
        ("1,2::\ta\n", 1, 6, "nothing"),
        ("1::x\ta\n", 1, 4, "'x'"),
        ("1::nan\ta\n", 1, 4, "'nan'"),
        ("1::inf\ta\n", 1, 4, "'inf'"),
        ("1::1e60\ta\n", 1, 4, "float32"),
        ("1::-2\ta\n", 1, 4, "positive"),
        ("1:0.5\ta\n", 1, 1, "'1:0.5'"),
    ],
)
def test_a_malformed_file_is_refused_with_its_place(content, line, column, said, tmp_path):
    with pytest.raises(CorpusFormatError, match=said) as caught:
        read(write(tmp_path, content), n_labels=5)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_a_file_of_label_texts_gives_every_line_a_label(tmp_path):
    write(tmp_path, "2\ta\n")
    write(tmp_path, "0,9\tb\n", "test.txt")
    write(tmp_path, "zero\none\ntwo\n", "labels.txt")
    params = {"format": "pecos", "folder": str(tmp_path), "labels": {"texts": "labels.txt"}}
    corpus = read_corpus(CorpusParams(**params, files={"train": "train.txt"}))
    assert corpus.label_ids == ["0", "1", "2"]
    assert corpus.label_texts == ["zero", "one", "two"]
    with pytest.raises(CorpusFormatError, match=r"test\.txt:1:3: a label lies in 0\.\.2, but found 9"):
        read_corpus(CorpusParams(**params, files={"train": "train.txt", "test": "test.txt"}))


def test_a_huge_label_number_costs_no_more_than_its_line(tmp_path):
    documents, label_ids = read(write(tmp_path, "2147483646\ta\n"))
    assert label_ids == ["2147483646"]
    assert documents.labels.shape == (1, 1)
