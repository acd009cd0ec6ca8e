"""Matrices that may be sparse or dense, as folders of plain arrays."""

from pathlib import Path
from typing import Any

import numpy as np
from kedro_datasets._typing import TablePreview

from larix.datasets.json_document import table_preview
from larix.datasets.sparse_matrix import SparseMatrixDataset
from larix.xmc.matrix import Matrix, check_matrix
from larix.xmc.persistence import is_whole, load_folder, save_folder

_DENSE = "DenseMatrix"


class MatrixDataset(SparseMatrixDataset):
    """A CSR matrix or an array of float32, checked when it is written and when it is read."""

    def _read(self, path: Path) -> Matrix:
        if not is_whole(path, kind=_DENSE):
            return super()._read(path)
        return check_matrix(load_folder(path, kind=_DENSE).arrays["rows"], name=str(path))

    def _write(self, path: Path, data: Any) -> None:
        if not isinstance(data, np.ndarray):
            super()._write(path, data)
            return
        rows = check_matrix(data, name=path.name)
        save_folder(path, kind=_DENSE, metadata={"shape": list(rows.shape)}, arrays={"rows": rows})

    def _is_whole(self, path: str | Path) -> bool:
        return is_whole(path, kind=_DENSE) or super()._is_whole(path)

    def preview(self) -> TablePreview:
        """Shape and density of the matrix."""
        matrix = self.load()
        if not isinstance(matrix, np.ndarray):
            return super().preview()
        return table_preview(["rows", "columns"], [list(matrix.shape)])
