"""A drawing as a PNG file."""

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io.core import DatasetError
from kedro_datasets._typing import ImagePreview

from larix.atomic_file import write_atomically
from larix.datasets.artefact import ArtefactDataset

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class FigureDataset(ArtefactDataset[Any]):
    """A matplotlib figure, saved as PNG; loading gives the bytes of the picture.

    Parameters
    ----------
    dpi : int, default 120
        Dots per inch.
    """

    def __init__(self, *, filepath: str, dpi: int = 120, **options: Any) -> None:
        super().__init__(filepath=filepath, **options)
        self._dpi = dpi

    def _read(self, path: Path) -> bytes:
        return path.read_bytes()

    def _write(self, path: Path, data: "Figure") -> None:
        if not hasattr(data, "savefig"):
            raise DatasetError(f"{path} takes a matplotlib figure, but got a {type(data).__name__}")
        picture = io.BytesIO()
        # Without the entry `Software` the bytes depend on the drawing alone.
        data.savefig(picture, format="png", dpi=self._dpi, bbox_inches="tight", metadata={"Software": None})
        write_atomically(path, picture.getvalue())

    def preview(self) -> ImagePreview:
        """The picture, in base 64."""
        return ImagePreview(base64.b64encode(self.load()).decode())
