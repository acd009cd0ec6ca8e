"""WordNet lemmas: glosses labelled with the words for more general things, where every meaning is known.

A document is the gloss of a noun or verb synset; the synset's own words are no part of it. Its labels are the
lemmas, in lower case, of its hypernyms one and two steps up. A lemma often belongs to several synsets (bank:
an institution, a slope), so a label often has several senses, and the database tells which one each document
means. A sense is a pair of a label and a hypernym synset; a document that is reached from two synsets of a
label has two senses of it, which is rare.

Labels of more than 1,000 documents are left out, and so are documents without a label. Documents, ordered by
synset, are shuffled by seed 0; the first four fifths are for training. Kept are labels with at least 2
training documents, and the documents that then have a label.

Fellbaum (ed.), WordNet: An Electronic Lexical Database, MIT Press, 1998.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import scipy.sparse as sp

from larix.corpora.corpus import Corpus, CorpusPart
from larix.corpora.wordnet_database import Synset, database_files, read_synsets

NAME = "WordNet lemmas"

_MOST_DOCUMENTS = 1000
_FEWEST_TRAINING_DOCUMENTS = 2
_TRAIN_FRACTION = 0.8

Senses = dict[str, set[tuple[str, str]]]
"""The senses, pairs of a label and a synset, of every document."""


def read_wordnet(folder: Path, *, encoding: str = "utf-8") -> Corpus:
    """Read the corpus from a folder with WordNet's database files.

    Parameters
    ----------
    folder : Path
        Holds `data.noun` and `data.verb`.
    encoding : str
        Of these files.

    Raises
    ------
    CorpusFormatError
        At the first place where a file breaks a rule of its format.
    FileNotFoundError
        If a file is missing.
    """
    return corpus_of_synsets(read_synsets(database_files(folder), encoding=encoding))


def corpus_of_synsets(synsets: Mapping[str, Synset]) -> Corpus:
    """Make training and test documents out of glosses.

    Raises
    ------
    ValueError
        If no label has enough training documents.
    """
    senses = _without_frequent_labels({name: _senses_of(name, synsets) for name in sorted(synsets)})
    names = np.array(list(senses))[np.random.default_rng(0).permutation(len(senses))]
    n_train = round(_TRAIN_FRACTION * len(names))
    counts = Counter(label for name in names[:n_train] for label in _labels(senses[name]))
    labels = sorted(label for label, count in counts.items() if count >= _FEWEST_TRAINING_DOCUMENTS)
    if not labels:
        raise ValueError(
            f"a corpus of synsets needs a hypernym of {_FEWEST_TRAINING_DOCUMENTS} training documents, but "
            f"there is none among {len(synsets)} synsets; give a whole database"
        )
    column = {label: number for number, label in enumerate(labels)}
    kept = {name: {sense for sense in senses[name] if sense[0] in column} for name in names.tolist()}
    table = sorted({sense for document in kept.values() for sense in document})
    train, test = (
        _part({name: kept[name] for name in part.tolist() if kept[name]}, synsets, column, table)
        for part in (names[:n_train], names[n_train:])
    )
    label_table = pa.table({"id": labels, "name": labels, "text": labels})  # its identifier tells of a label
    sense_table = pa.table(
        {
            "label": [column[label] for label, _ in table],
            "id": [synset for _, synset in table],
            "name": [synsets[synset].definition for _, synset in table],
        }
    )
    return Corpus(NAME, train, test, label_table, sense_table=sense_table)


def _senses_of(name: str, synsets: Mapping[str, Synset]) -> set[tuple[str, str]]:
    """The senses of a document: every lemma of its hypernyms, one and two steps up."""
    near = synsets[name].hypernyms
    above = {*near, *(far for synset in near for far in synsets[synset].hypernyms)}
    return {(lemma.replace("_", " ").lower(), synset) for synset in above for lemma in synsets[synset].lemmas}


def _without_frequent_labels(senses: Senses) -> Senses:
    """Drop labels of too many documents, then documents without labels."""
    counts = Counter(label for document in senses.values() for label in _labels(document))
    rare = {
        name: {sense for sense in document if counts[sense[0]] <= _MOST_DOCUMENTS}
        for name, document in senses.items()
    }
    return {name: document for name, document in rare.items() if document}


def _labels(senses: set[tuple[str, str]]) -> set[str]:
    return {label for label, _ in senses}


def _part(
    senses: Senses, synsets: Mapping[str, Synset], column: Mapping[str, int], table: list[tuple[str, str]]
) -> CorpusPart:
    place = {sense: number for number, sense in enumerate(table)}
    return CorpusPart.from_columns(
        ids=list(senses),
        texts=[synsets[name].gloss for name in senses],
        labels=_indicator(
            [sorted(column[label] for label in _labels(s)) for s in senses.values()], len(column)
        ),
        senses=_indicator([sorted(place[sense] for sense in s) for s in senses.values()], len(table)),
    )


def _indicator(rows: list[list[int]], n_columns: int) -> sp.csr_array:
    """A matrix of ones at the sorted columns of every row."""
    indptr = np.cumsum([0, *map(len, rows)])
    indices = np.concatenate([np.array(row, np.int32) for row in rows] or [np.zeros(0, np.int32)])
    return sp.csr_array((np.ones(len(indices), np.float32), indices, indptr), shape=(len(rows), n_columns))
