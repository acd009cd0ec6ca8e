"""Sparse matrices as folders of plain arrays."""

from pathlib import Path

from kedro_datasets._typing import TablePreview

from larix.datasets.artefact import ArtefactDataset
from larix.datasets.json_document import table_preview
from larix.xmc.matrix_folder import is_csr_folder, load_csr, save_csr
from larix.xmc.sparse import CSR


class SparseMatrixDataset(ArtefactDataset[CSR]):
    """A CSR matrix, float32, checked when it is written and when it is read."""

    def _read(self, path: Path) -> CSR:
        return load_csr(path)

    def _write(self, path: Path, data: CSR) -> None:
        save_csr(path, data)

    def _is_whole(self, path: str | Path) -> bool:
        return is_csr_folder(path)

    def preview(self) -> TablePreview:
        """Shape and density of the matrix."""
        matrix = self.load()
        n_rows, n_columns = matrix.shape
        filled = matrix.nnz / max(n_rows, 1)
        columns = ["rows", "columns", "entries", "entries a row"]
        return table_preview(columns, [[n_rows, n_columns, int(matrix.nnz), round(float(filled), 2)]])
