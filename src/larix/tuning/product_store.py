"""What trials make and others need again: kept by content, so that nothing is made twice.

A product (a tree, a trained level, a matrix) is known by its stage, the parameters that affect it and the
keys of the products that it was made from, hence by everything upstream. It is kept as a model folder, and
the latest of every stage in memory too. When folders outgrow their limit, those go that were used longest
ago. Several processes may share a folder: while one makes a product, others that need it wait.
"""

import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import larix
from larix.datasets.provenance import plain
from larix.folder_size import folder_size
from larix.tuning.file_lock import locked
from larix.tuning.product_parts import load_parts, save_parts
from larix.xmc.persistence import ModelFolderError

logger = logging.getLogger(__name__)

Parts = Mapping[str, Any]


@dataclass(frozen=True)
class Product:
    """What a stage made.

    Parameters
    ----------
    key : str
        Equal for equal content.
    parts : mapping of str to object
        Matrices and models by name.
    made : bool
        Whether it had to be made for this request.
    """

    key: str
    parts: Parts
    made: bool = False

    def __getitem__(self, name: str) -> Any:
        return self.parts[name]


class ProductStore:
    """Products in a folder.

    Parameters
    ----------
    folder : Path
    max_mb : float
        Size that the folder is cut back to after a product was added to it. The newest always stays.
    """

    def __init__(self, folder: Path, *, max_mb: float) -> None:
        self.folder = folder
        self.max_mb = max_mb
        self._latest: dict[str, Product] = {}

    def get(self, stage: str, ingredients: Mapping[str, Any], make: Callable[[], Parts]) -> Product:
        """The product of a stage, from memory, from the folder, or made now.

        Parameters
        ----------
        stage : str
        ingredients : mapping of str to plain value, dataclass or Product
            All that affects the product.
        make : callable
            Makes its parts.
        """
        key = product_key(stage, ingredients)
        latest = self._latest.get(stage)
        if latest is not None and latest.key == key:
            self._touch(stage, key)
            return Product(key, latest.parts)
        with locked(self.folder / ".locks" / f"{stage}-{key}"):
            parts = self._read(stage, key)
            made = parts is None
            if parts is None:
                parts = make()
                self._write(stage, key, parts)
        self._latest[stage] = Product(key, parts)
        return Product(key, parts, made)

    def size_mb(self) -> float:
        """Size of the folder."""
        return sum(folder_size(path) for path in self._products()) / 2**20

    def _products(self) -> list[Path]:
        """Folders of products, by time of last use."""
        found = []
        for path in self.folder.glob("*-*"):
            with suppress(OSError):  # another process may be deleting it
                if path.is_dir() and not path.name.startswith("."):
                    found.append((path.stat().st_mtime, path))
        return [path for _, path in sorted(found)]

    def _place(self, stage: str, key: str) -> Path:
        return self.folder / f"{stage}-{key}"

    def _touch(self, stage: str, key: str) -> None:
        with suppress(OSError):
            os.utime(self._place(stage, key), (time.time(), time.time()))

    def _read(self, stage: str, key: str) -> Parts | None:
        try:
            parts = load_parts(self._place(stage, key))
        except (ModelFolderError, OSError):
            return None  # not there, or damaged, or just thrown away
        self._touch(stage, key)
        return parts

    def _write(self, stage: str, key: str, parts: Parts) -> None:
        place = self._place(stage, key)
        if place.exists():  # damaged
            shutil.rmtree(place)
        save_parts(place, parts, stage)
        self._cut_back(newest=place)

    def _cut_back(self, newest: Path) -> None:
        products = self._products()
        sizes = {path: folder_size(path) for path in products}
        total = sum(sizes.values())
        for path in products:
            if total <= self.max_mb * 2**20:
                return
            if path != newest:
                logger.debug("%s goes: %.0f MB", path.name, sizes[path] / 2**20)
                shutil.rmtree(path, ignore_errors=True)
                total -= sizes[path]


def product_key(stage: str, ingredients: Mapping[str, Any]) -> str:
    """SHA-256 over a stage, what affects it, and the version of larix; 24 digits of it."""
    values = {
        name: value.key if isinstance(value, Product) else plain(value) for name, value in ingredients.items()
    }
    content = json.dumps([stage, values, larix.__version__], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:24]
