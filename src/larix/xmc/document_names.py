"""Names of many documents end to end in one array, so that they are mapped and not read when loaded."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from larix.xmc.sparse import read_only


@dataclass(frozen=True, eq=False)
class DocumentNames:
    """A sequence of strings.

    Parameters
    ----------
    letters : uint8 array
        The names in UTF-8.
    ends : int64 array, shape (n,)
        Where each name ends.
    """

    letters: NDArray[np.uint8]
    ends: NDArray[np.int64]

    def __post_init__(self) -> None:
        object.__setattr__(self, "letters", read_only(self.letters, np.uint8))
        object.__setattr__(self, "ends", read_only(self.ends, np.int64))
        falls = len(self.ends) and (self.ends[0] < 0 or np.any(np.diff(self.ends) < 0))
        if falls or len(self.letters) != (self.ends[-1] if len(self.ends) else 0):
            raise ValueError(f"names must end in rising places up to {len(self.letters)}, but don't")

    @classmethod
    def of(cls, names: Sequence[str]) -> "DocumentNames":
        """Encode names."""
        encoded = [name.encode("utf-8", "surrogatepass") for name in names]
        ends = np.cumsum([len(name) for name in encoded], dtype=np.int64)
        return cls(np.frombuffer(b"".join(encoded), np.uint8), ends)

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, number: int) -> str:
        if not 0 <= number < len(self):
            raise IndexError(f"there are {len(self)} names, but number {number} was asked for")
        begin = self.ends[number - 1] if number else 0
        return self.letters[begin : self.ends[number]].tobytes().decode("utf-8", "surrogatepass")

    def __add__(self, other: "DocumentNames") -> "DocumentNames":
        return DocumentNames(
            np.concatenate([self.letters, other.letters]),
            np.concatenate([self.ends, len(self.letters) + other.ends]),
        )
