"""Static word vectors from plain files, and texts as weighted means of them.

A folder (or the file itself) in one of these forms:

- word2vec text: `*.vec` or `*.txt`; a line "words dimensions", then a line for each word, with its numbers;
- `*.safetensors` with one two-dimensional array, or `*.npy`, beside `vocabulary.txt` or `vocab.txt`, one word
  a line in the order of the rows.

Nothing that is read can run code. A text is the mean of its words' unit vectors, weighed by idf over the
texts given: Arora, Liang, Ma, A simple but tough-to-beat baseline for sentence embeddings, ICLR 2017, found
weighted means hard to beat.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from larix.xmc.array_file import ArrayFileError, map_arrays
from larix.xmc.matrix import unit_rows

_WORD = re.compile(r"\w+")
_VOCABULARIES = ("vocabulary.txt", "vocab.txt")


class VectorFileError(ValueError):
    """A file of word vectors does not follow its format."""


@dataclass(frozen=True, eq=False)
class WordVectors:
    """Vectors of words.

    Parameters
    ----------
    row_of : dict of str to int
        Row of every word.
    vectors : float32 array, words x d
    """

    row_of: dict[str, int]
    vectors: NDArray[np.float32]

    @classmethod
    def read(cls, path: Path | str) -> Self:
        """Read vectors from a folder or file.

        Raises
        ------
        FileNotFoundError
            If there are none; the message lists the forms.
        VectorFileError
            If a file breaks its format; the message names file and line.
        """
        words, vectors = _read(_find(Path(path)))
        row_of: dict[str, int] = {}
        for row, word in enumerate(words):
            row_of.setdefault(word, row)
        return cls(row_of, np.ascontiguousarray(vectors, np.float32))

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Weighted mean of every text's known words, L x d; unit length, or zero without one."""
        rows = [Counter(self._rows(text)) for text in texts]
        df = Counter(row for counts in rows for row in counts)
        idf = {row: np.log((1 + len(texts)) / (1 + n)) + 1 for row, n in df.items()}
        sums = np.zeros((len(texts), self.vectors.shape[1]), np.float32)
        for i, counts in enumerate(rows):
            if counts:
                weights = np.array([n * idf[row] for row, n in counts.items()], np.float32)
                sums[i] = weights @ unit_rows(self.vectors[list(counts)])
        embedded: NDArray[np.float32] = unit_rows(sums)
        return embedded

    def _rows(self, text: str) -> Iterable[int]:
        """Rows of the known words: as written, or else in lower case."""
        for word in _WORD.findall(text):
            row = self.row_of.get(word, self.row_of.get(word.lower(), -1))
            if row >= 0:
                yield row


def _find(path: Path) -> Path:
    """The file with the vectors."""
    if path.is_file():
        return path
    for pattern in ("*.safetensors", "*.npy", "*.vec", "*.txt"):
        found = sorted(file for file in path.glob(pattern) if file.name not in _VOCABULARIES)
        if len(found) > 1:
            raise VectorFileError(f"{path} must hold one file of vectors, but has {found[0].name} and more")
        if found:
            return found[0]
    raise FileNotFoundError(
        f"{path} holds no word vectors; give a *.vec or *.txt file in word2vec's text format, or "
        f"*.safetensors or *.npy beside {_VOCABULARIES[0]}"
    )


def _read(file: Path) -> tuple[list[str], NDArray[Any]]:
    if file.suffix not in (".safetensors", ".npy"):
        return _read_text(file)
    vectors = _read_npy(file) if file.suffix == ".npy" else _read_safetensors(file)
    vocabulary = next((file.parent / name for name in _VOCABULARIES if (file.parent / name).is_file()), None)
    if vocabulary is None:
        raise FileNotFoundError(f"{file} needs {_VOCABULARIES[0]} beside it, one word a line")
    words = vocabulary.read_text(encoding="utf-8").splitlines()
    if vectors.ndim != 2 or vectors.dtype.kind != "f" or len(words) != len(vectors):
        raise VectorFileError(
            f"{file} must hold one row of floats for each of the {len(words)} words in {vocabulary.name}, "
            f"but holds {vectors.dtype} of shape {vectors.shape}"
        )
    if not np.isfinite(vectors).all():
        raise VectorFileError(f"{file} must hold finite numbers, but doesn't; export the vectors again")
    return words, vectors


def _read_npy(file: Path) -> NDArray[Any]:
    try:
        vectors: NDArray[Any] = np.load(file, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        raise VectorFileError(f"{file} is no plain array: {error}") from None
    return vectors


def _read_safetensors(file: Path) -> NDArray[Any]:
    try:
        arrays = map_arrays(file)
    except ArrayFileError as error:
        raise VectorFileError(f"{file} is damaged: {error}") from None
    tables = [array for array in arrays.values() if array.ndim == 2]
    if len(tables) != 1:
        raise VectorFileError(f"{file} must hold one two-dimensional array, but holds {len(tables)}")
    return tables[0]


def _read_text(file: Path) -> tuple[list[str], NDArray[np.float32]]:
    with file.open(encoding="utf-8", errors="replace") as lines:
        header = lines.readline().split()
        if len(header) != 2 or not all(number.isdecimal() for number in header):
            raise VectorFileError(f"{file}:1 must be 'words dimensions', but is {' '.join(header)!r:.60}")
        n_words, d = map(int, header)
        words, rows = [], []
        for number, line in enumerate(lines, 2):
            word, _, numbers = line.rstrip("\n").partition(" ")
            rows.append(_numbers(numbers, d, f"{file}:{number}"))
            words.append(word)
    if len(words) != n_words:
        raise VectorFileError(f"{file} announces {n_words} words, but has {len(words)}; it may be cut short")
    return words, np.array(rows, np.float32).reshape(n_words, d)


def _numbers(text: str, d: int, where: str) -> NDArray[np.float32]:
    try:
        numbers = np.array(text.split(), np.float32)
    except ValueError:
        numbers = np.empty(0, np.float32)
    if len(numbers) != d or not np.isfinite(numbers).all():
        raise VectorFileError(f"{where} must be a word and {d} finite numbers, but is {text!r:.60}")
    return numbers
