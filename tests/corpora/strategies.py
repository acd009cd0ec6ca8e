"""Random small corpora, and random damage to files."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

characters = st.characters(exclude_categories=("Cs",))
texts = st.text(characters, max_size=30)
labels = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=6)
float32s = st.floats(width=32, allow_nan=False, allow_infinity=False).filter(bool)
relevances = st.floats(2.0**-20, 2.0**20, width=32)


@dataclass(frozen=True)
class PlainText:
    """A document as a test sees it: a text, and the relevance of its labels."""

    text: str
    labels: dict[str, float]


@dataclass(frozen=True)
class PlainRows:
    """Documents with given features: a dict of features and a set of labels for each."""

    n_features: int
    n_labels: int
    features: list[dict[int, float]]
    labels: list[set[int]]


text_documents = st.lists(
    st.builds(PlainText, texts, st.dictionaries(labels, relevances, max_size=4)), min_size=1, max_size=8
)


@st.composite
def feature_rows(draw, values=float32s):
    """Draw documents with features."""
    n_features, n_labels = draw(st.integers(1, 12)), draw(st.integers(1, 8))
    row = st.tuples(
        st.dictionaries(st.integers(0, n_features - 1), values, max_size=5),
        st.sets(st.integers(0, n_labels - 1), max_size=4),
    )
    rows = draw(st.lists(row, min_size=1, max_size=6))
    return PlainRows(n_features, n_labels, [features for features, _ in rows], [found for _, found in rows])


def dense(rows: list[dict[int, float]], n_columns: int) -> list[list[float]]:
    """Dicts as rows of numbers, rounded as float32 does."""
    return [[float(np.float32(row.get(column, 0.0))) for column in range(n_columns)] for row in rows]


# Fragments of the formats' grammars and of numbers, and bytes that are no text.
_WORDS = b", : :: - -1 0 1 +1 . 99999999999 1e999 nan NaN inf null true 0x1f 1_0 ? % @data \\ \\ud800 { } [ ]"
_OTHERS = [
    b" ",
    b"\t",
    b"\n",
    b"\r\n",
    b'"',
    b"'",
    b"\x00",
    b"\xff",
    b"\xfe\xff",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
]
_tempting = st.sampled_from([*_WORDS.split(), *_OTHERS, "\u00a0\u2028".encode()])


@dataclass(frozen=True)
class Damage:
    """One change to the bytes of a file: `removed` bytes at a relative place give way to `inserted`."""

    place: float
    removed: int
    inserted: bytes

    def apply(self, content: bytes) -> bytes:
        """The changed bytes."""
        at = int(self.place * len(content))
        return content[:at] + self.inserted + content[at + self.removed :]


damages = st.lists(
    st.builds(
        Damage,
        place=st.floats(0, 1),
        removed=st.one_of(st.integers(0, 3), st.integers(0, 10_000)),
        inserted=st.one_of(st.just(b""), _tempting, st.binary(max_size=4)),
    ),
    min_size=1,
    max_size=3,
)


def damaged(content: bytes, changes: list[Damage]) -> bytes:
    """The bytes after all changes."""
    for change in changes:
        content = change.apply(content)
    return content
