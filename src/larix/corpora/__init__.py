"""Corpora: readers of other people's file formats, and the one form that they all end in.

`read_corpus(CorpusParams(...))` returns a `Corpus`; `check_file` says what a file holds or what is wrong with it.
"""

from larix.corpora.assembly import corpus_from_texts
from larix.corpora.corpus import Corpus, CorpusPart
from larix.corpora.format_error import CorpusFormatError
from larix.corpora.params import (
    ColumnParams,
    CorpusParams,
    FileParams,
    LabelParams,
    SplitParams,
)
from larix.corpora.reading import read_corpus

__all__ = [
    "ColumnParams",
    "Corpus",
    "CorpusFormatError",
    "CorpusParams",
    "CorpusPart",
    "FileParams",
    "LabelParams",
    "SplitParams",
    "corpus_from_texts",
    "read_corpus",
]
