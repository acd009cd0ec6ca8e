"""Objects that save themselves as model folders: corpora, label trees, text features and models."""

from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

from kedro.io.core import DatasetError
from kedro_datasets._typing import JSONPreview, TablePreview

from larix.datasets.artefact import ArtefactDataset
from larix.datasets.json_document import json_preview, table_preview
from larix.xmc.persistence import is_whole, load_folder


class ModelFolderDataset(ArtefactDataset[Any]):
    """An object with `save(path)` whose class has `load(path)`; the folder says what kind it is.

    `save` and `load` do the checking: `larix.xmc.persistence` writes folders whole or not at all, and names
    the file that was damaged.
    """

    home: ClassVar[str]
    kind: ClassVar[str]

    def _class(self) -> Any:
        return getattr(import_module(self.home), self.kind)

    def _read(self, path: Path) -> Any:
        return self._class().load(path)

    def _write(self, path: Path, data: Any) -> None:
        if not isinstance(data, self._class()):
            raise DatasetError(f"{path} takes a {self.kind}, but got a {type(data).__name__}")
        data.save(path)

    def _is_whole(self, path: str | Path) -> bool:
        return is_whole(path, kind=self.kind)

    def preview(self) -> JSONPreview:
        """What the folder's manifest says."""
        folder = load_folder(self._get_load_path(), verify=False)
        shapes = {name: f"{array.dtype} {list(array.shape)}" for name, array in folder.arrays.items()}
        return json_preview({"kind": folder.kind, **folder.metadata, "arrays": shapes})


class CorpusDataset(ModelFolderDataset):
    """A `Corpus`."""

    home, kind = "larix.corpora.corpus", "Corpus"

    def preview(self, n_documents: int = 15) -> TablePreview:
        """The first test documents with the names of their labels."""
        corpus = self.load()
        part, rows = corpus.test, []
        for row in range(min(n_documents, part.labels.shape[0])):
            labels = part.labels.indices[part.labels.indptr[row] : part.labels.indptr[row + 1]]
            text = part.texts[row] if part.texts is not None else "(features only)"
            rows.append([text, "; ".join(corpus.label_names[label] for label in labels)])
        return table_preview(["test document", "labels"], rows)


class TextFeaturesDataset(ModelFolderDataset):
    """`TextFeatures`."""

    home, kind = "larix.xmc.text_features", "TextFeatures"


class LabelTreeDataset(ModelFolderDataset):
    """A `LabelTree`."""

    home, kind = "larix.xmc.label_tree", "LabelTree"

    def preview(self) -> TablePreview:
        """Every level with the number of its nodes and of their children."""
        tree, rows = self.load(), []
        for level, offsets in enumerate(tree.offsets):
            children = offsets[1:] - offsets[:-1]
            what = "labels in clusters" if level == tree.depth - 1 else "clusters"
            rows.append([level, what, tree.n_nodes(level), int(children.min()), int(children.max())])
        return table_preview(["level", "what", "nodes", "fewest siblings", "most siblings"], rows)


class LinearMatcherDataset(ModelFolderDataset):
    """A `LinearMatcher`."""

    home, kind = "larix.xmc.xr_linear", "LinearMatcher"


class LinearRankerDataset(ModelFolderDataset):
    """A `LinearRanker`."""

    home, kind = "larix.xmc.xr_linear", "LinearRanker"


class SuggesterDataset(ModelFolderDataset):
    """A `Suggester`: the whole classifier."""

    home, kind = "larix.serving.suggester", "Suggester"
