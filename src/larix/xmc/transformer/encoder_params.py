"""Parameters of an encoder: where it lies, and how it is used."""

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from larix.xmc.choice import check_choice
from larix.xmc.ranges import check_least
from larix.xmc.transformer.encoder import Pooling, Precision, SentenceEncoder
from larix.xmc.transformer.encoder_files import EncoderFiles, find_encoder


@dataclass(frozen=True)
class EncoderParams:
    """Which encoder, and how texts become vectors.

    Parameters
    ----------
    folder : str
        A local folder; within `package` if there is one.
    package : str or None
        An installed Python package that carries the encoder. Its code is not run.
    download : bool
        Fetch `folder` as the name of a model on the hub if there is no such folder.
    pooling : {"mean", "first", "pooler"}
        Mean of the token vectors, the first one alone (that of CLS), or what the encoder's pooler gives.
    max_tokens : int
        Longer texts are cut.
    batch_size : int
        Texts the encoder takes at once.
    precision : {"float32", "bfloat16"}
        Products of 16 bits are used only where the hardware is made for them.
    """

    folder: str
    package: str | None = None
    download: bool = False
    pooling: Pooling = "mean"
    max_tokens: int = 64
    batch_size: int = 32
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        check_choice("pooling", self.pooling, get_args(Pooling))
        check_choice("precision", self.precision, get_args(Precision))
        check_least(self, 1, "max_tokens", "batch_size")

    def find(self) -> Path:
        """The encoder's local folder; see `larix.xmc.transformer.encoder_files.find_encoder`."""
        return find_encoder(self.folder, package=self.package, download=self.download)

    def encoder(
        self,
        *,
        tuned: EncoderFiles | None = None,
        cache_folder: Path | None = None,
        n_threads: int | None = None,
    ) -> SentenceEncoder:
        """The encoder, or the one `tuned` in its place; vectors are kept in `cache_folder`."""
        return SentenceEncoder(
            self.find() if tuned is None else tuned.folder,
            pooling=self.pooling,
            batch_size=self.batch_size,
            max_tokens=self.max_tokens,
            precision=self.precision,
            cache_folder=cache_folder,
            n_threads=n_threads,
        )

    def source_files(self) -> list[Path]:
        """Files that vectors depend on; none as long as there is no encoder."""
        try:
            return EncoderFiles(find_encoder(self.folder, package=self.package)).paths
        except (FileNotFoundError, ModuleNotFoundError):
            return []
