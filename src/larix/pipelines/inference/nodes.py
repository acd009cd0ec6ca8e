"""Suggest labels for the texts of a file."""

from dataclasses import dataclass
from pathlib import Path

from larix.corpora.texts import TextFile
from larix.pipelines.stage_params import StageParams
from larix.serving.file_labelling import LabelledTexts
from larix.serving.suggester import Suggester
from larix.xmc.ranges import check_least


@dataclass(frozen=True)
class InferenceParams(StageParams):
    """Which texts, and what is asked of the classifier.

    Parameters
    ----------
    input : str
        The file: .txt with one text a line, or .csv, .tsv, .jsonl, .parquet. A relative path begins in the
        folder in which `kedro run` is called.
    text : tuple of str
        Columns with text; one name may be given as it is.
    id : str, optional
        Column to know texts by; without it they are numbered.
    field_delimiter : str, optional
        What separates the fields of a CSV or TSV file; by default a comma or a tab.
    encoding : str
        Of a text file: utf-8, latin-1 or cp1252.
    top_k : int
        Most labels for each text.
    threshold : float, optional
        Labels with lower scores are left out; by default those below the classifier's own threshold.
    """

    input: str = "data/01_raw/new_texts.txt"
    text: tuple[str, ...] = ("text",)
    id: str | None = None
    field_delimiter: str | None = None
    encoding: str = "utf-8"
    top_k: int = 5
    threshold: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "text", (self.text,) if isinstance(self.text, str) else tuple(self.text))
        check_least(self, 1, "top_k")
        self.file()

    def file(self) -> TextFile:
        """The texts."""
        path = Path(self.input).expanduser()
        return TextFile(path, self.text, self.id, self.field_delimiter, self.encoding)

    def source_files(self) -> list[Path]:
        """The file, so that others can see whether it has changed."""
        return [self.file().path]


def suggest(classifier: Suggester, params: InferenceParams) -> LabelledTexts:
    """The texts with their labels, computed batch by batch while they are written."""
    return LabelledTexts(classifier, params.file(), params.top_k, params.threshold)
