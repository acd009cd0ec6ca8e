"""Corpora: readers of other people's file formats, and the one form that they all end in.

`read_corpus(CorpusParams(...))` returns a `Corpus`; `check_file` says what a file holds or what is wrong with
it; `write_environment` prepares a Kedro environment for a table of one's own.
"""

from larix.corpora.assembly import corpus_from_texts
from larix.corpora.check import FileReport, check_file
from larix.corpora.corpus import Corpus, CorpusPart
from larix.corpora.environment import Environment, write_environment
from larix.corpora.format_error import CorpusFormatError
from larix.corpora.label_pairs import pair_labels
from larix.corpora.labelled_file import LabelledFile, read_labelled_file
from larix.corpora.params import (
    ColumnParams,
    CorpusParams,
    FileParams,
    LabelPairParams,
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
    "Environment",
    "FileParams",
    "FileReport",
    "LabelPairParams",
    "LabelParams",
    "LabelledFile",
    "SplitParams",
    "check_file",
    "corpus_from_texts",
    "pair_labels",
    "read_corpus",
    "read_labelled_file",
    "write_environment",
]
