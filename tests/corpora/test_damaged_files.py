"""Whatever happens to a file, a reader returns a valid corpus or says where the file is wrong."""

import gzip
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from larix.corpora import Corpus, CorpusFormatError, CorpusParams, read_corpus
from tests.corpora.strategies import Damage, damaged, damages

JSONL = (
    '{"id": "a", "text": "red \\u00e9 fox", "labels": ["x", "y"], "relevance": [1, 0.5]}\n'
    '{"id": "b", "text": null, "labels": "x,z", "relevance": "1,2"}\n'
    '{"id": "c", "text": "blaue Wölfe", "labels": [], "relevance": null, "more": {"a": [1, 2]}}\n'
)
CSV = 'id,text,labels,relevance\na,"red ""é"" fox,\nand more","x,y","1,0.5"\nb,,z,2\nc,blaue Wölfe,,\n'
XC = "3 4 5\n0,4 0:0.5 3:2\n 1:1e-3\n2 2:-1.5 3:7\n"
PECOS = "3,1::0.5\tred fox\n\tno label\n12\tblaue Wölfe\n"
ARFF = (
    "@relation 'r'\n@attribute f numeric\n@attribute 'g h' {0,1}\n@attribute l {0,1}\n@attribute m {0,1}\n"
    "@data\n0.5,1,0,1\n{0 3,2 1}\n% comment\n{}\n1,0,1,1\n"
)
LABEL_HEADER = '<?xml version="1.0"?>\n<labels>\n<label name="l"/>\n<label name="m"></label>\n</labels>\n'
COLUMNS = {"id": "id", "relevance": "relevance"}


def parquet() -> bytes:
    table = pa.table(
        {
            "id": ["a", "b", "c"],
            "text": ["red fox", None, "blaue Wölfe"],
            "labels": [["x", "y"], ["x"], []],
            "relevance": pa.array([[1, 0.5], [2], []], pa.list_(pa.float32())),
        }
    )
    content = io.BytesIO()
    pq.write_table(table, content, write_page_checksum=True)
    return content.getvalue()


def npz(matrix, *, compressed: bool) -> bytes:
    content = io.BytesIO()
    sp.save_npz(content, matrix, compressed=compressed)
    return content.getvalue()


X = sp.csr_array(np.array([[1.0, 0, 2], [0, 3, 0], [0, 0, 0]]))
Y = sp.csr_array(np.array([[1.0, 0, 0.5, 0], [0, 1, 0, 0], [1, 1, 0, 0]]))

# For each kind of file: its name among the files of the corpus, and the parameters that read them.
CORPORA: dict[str, tuple[dict[str, bytes], str, dict]] = {
    "jsonl": ({"train": JSONL.encode()}, "train", {"columns": COLUMNS}),
    "jsonl, packed": (
        {"train": gzip.compress(JSONL.encode())},
        "train",
        {"format": "jsonl", "columns": COLUMNS},
    ),
    "csv": ({"train": CSV.encode()}, "train", {"columns": COLUMNS}),
    "tsv": (
        {"train": CSV.replace(",", "\t").encode()},
        "train",
        {"columns": COLUMNS | {"label_delimiter": "\t"}},
    ),
    "parquet": ({"train": parquet()}, "train", {"columns": COLUMNS}),
    "xc": ({"train": XC.encode()}, "train", {}),
    "xc split": (
        {"train": XC.encode(), "train_split": b"1 2\n2 3\n", "test_split": b"3 1\n"},
        "train_split",
        {"format": "xc"},
    ),
    "pecos": ({"train": PECOS.encode()}, "train", {}),
    "pecos-npz": (
        {"train": npz(X, compressed=False), "train_labels": npz(Y, compressed=False)},
        "train",
        {},
    ),
    "label matrix": (
        {"train": npz(X, compressed=True), "train_labels": npz(Y, compressed=True)},
        "train_labels",
        {"format": "pecos-npz"},
    ),
    "arff": ({"train": ARFF.encode(), "label_header": LABEL_HEADER.encode()}, "train", {}),
    "label header": (
        {"train": ARFF.encode(), "label_header": LABEL_HEADER.encode()},
        "label_header",
        {"format": "arff"},
    ),
}
BINARY = ("parquet", "pecos-npz", "label matrix")


def read(folder: Path, kind: str, change: Callable[[bytes], bytes]) -> Corpus:
    """Write the files of a corpus, one of them changed, and read them."""
    contents, victim, options = CORPORA[kind]
    files = {}
    for name, content in contents.items():
        path = folder / name
        path.write_bytes(change(content) if name == victim else content)
        files[name] = str(path)
    return read_corpus(CorpusParams(**({"format": kind, "files": files} | options)))


def require_valid(corpus: Corpus) -> None:
    """Check once more, apart from the schema's own rules, that nothing is out of range or not finite."""
    for part in (corpus.train, corpus.test):
        labels = part.labels
        assert labels.shape == (len(part), len(corpus.label_ids))
        assert np.isfinite(labels.data).all()
        assert (labels.data > 0).all()
        assert not len(labels.indices) or 0 <= labels.indices.min() <= labels.indices.max() < labels.shape[1]
        if part.texts is not None:
            assert all(isinstance(text, str) for text in part.texts)
            continue
        features = part.features
        assert features.shape == (len(part), corpus.n_features)
        assert np.isfinite(features.data).all()
        assert not len(features.indices) or features.indices.min() >= 0
        assert not len(features.indices) or features.indices.max() < features.shape[1]


def require_place(error: CorpusFormatError, kind: str) -> None:
    """Check that an error names a file and a place in it."""
    assert error.path.is_file()
    assert error.rule
    assert error.found
    assert error.remedy
    if kind not in BINARY:
        assert isinstance(error.line, int)
        assert isinstance(error.column, int)
        assert error.line >= 1
        assert error.column >= 1


def survives(folder: Path, kind: str, changes: list[Damage]) -> None:
    try:
        corpus = read(folder, kind, lambda content: damaged(content, changes))
    except CorpusFormatError as error:
        require_place(error, kind)
    else:
        require_valid(corpus)


@pytest.mark.parametrize("kind", CORPORA)
def test_the_undamaged_files_are_read(kind, tmp_path):
    require_valid(read(tmp_path, kind, lambda content: content))


@pytest.mark.parametrize("kind", CORPORA)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damages)
def test_a_damaged_file_is_read_or_refused_with_its_place(tmp_path, kind, changes):
    survives(tmp_path, kind, changes)


@pytest.mark.slow
@settings(max_examples=2_000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(CORPORA)), damages)
def test_two_thousand_damaged_files_are_read_or_refused(tmp_path, kind, changes):
    survives(tmp_path, kind, changes)


@pytest.mark.parametrize("kind", CORPORA)
def test_a_file_cut_anywhere_is_read_or_refused(kind, tmp_path):
    content = CORPORA[kind][0][CORPORA[kind][1]]
    for keep in range(0, len(content), max(1, len(content) // 60)):
        survives(tmp_path, kind, [Damage(keep / len(content), len(content), b"")])
