"""Sparse matrices as folders of plain arrays."""

from pathlib import Path

from kedro_datasets._typing import TablePreview

from larix.datasets.artefact import ArtefactDataset
from larix.datasets.json_document import table_preview
from larix.xmc.persistence import is_whole, load_folder, save_folder
from larix.xmc.sparse import CSR, check_csr

_KIND = "SparseMatrix"


class SparseMatrixDataset(ArtefactDataset[CSR]):
    """A CSR matrix, float32, checked when it is written and when it is read."""

    def _read(self, path: Path) -> CSR:
        import scipy.sparse as sp

        folder = load_folder(path, kind=_KIND)
        arrays = folder.arrays
        parts = (arrays["data"], arrays["indices"], arrays["indptr"])
        return check_csr(sp.csr_array(parts, shape=tuple(folder.metadata["shape"])), name=str(path))

    def _write(self, path: Path, data: CSR) -> None:
        matrix = check_csr(data, name=path.name)
        arrays = {"data": matrix.data, "indices": matrix.indices, "indptr": matrix.indptr}
        save_folder(path, kind=_KIND, metadata={"shape": list(matrix.shape)}, arrays=arrays)

    def _is_whole(self, path: str | Path) -> bool:
        return is_whole(path, kind=_KIND)

    def preview(self) -> TablePreview:
        """Shape and density of the matrix."""
        matrix = self.load()
        n_rows, n_columns = matrix.shape
        filled = matrix.nnz / max(n_rows, 1)
        columns = ["rows", "columns", "entries", "entries a row"]
        return table_preview(columns, [[n_rows, n_columns, int(matrix.nnz), round(float(filled), 2)]])
