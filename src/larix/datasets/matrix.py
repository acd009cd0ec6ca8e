"""Matrices that may be sparse or dense, as folders of plain arrays."""

from pathlib import Path
from typing import Any

from kedro_datasets._typing import TablePreview

from larix.datasets.json_document import table_preview
from larix.datasets.sparse_matrix import SparseMatrixDataset
from larix.xmc.matrix import Matrix, is_dense
from larix.xmc.matrix_folder import is_matrix_folder, load_matrix, save_matrix


class MatrixDataset(SparseMatrixDataset):
    """A CSR matrix or an array of float32, checked when it is written and when it is read."""

    def _read(self, path: Path) -> Matrix:
        return load_matrix(path)

    def _write(self, path: Path, data: Any) -> None:
        save_matrix(path, data)

    def _is_whole(self, path: str | Path) -> bool:
        return is_matrix_folder(path)

    def preview(self) -> TablePreview:
        """Shape and density of the matrix."""
        matrix = self.load()
        if not is_dense(matrix):
            return super().preview()
        return table_preview(["rows", "columns"], [list(matrix.shape)])
