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

    homes: ClassVar[dict[str, str]]
    """Module of each class that may lie in the folder, by the class' name, which is the folder's kind."""

    def _read(self, path: Path) -> Any:
        return self._class(load_folder(path, verify=False).kind).load(path)

    def _write(self, path: Path, data: Any) -> None:
        kind = type(data).__name__
        if not isinstance(data, self._class(kind)):
            raise DatasetError(f"{path} takes a {self._kinds}, but got a {kind} of another module")
        data.save(path)

    def _is_whole(self, path: str | Path) -> bool:
        return any(is_whole(path, kind=kind) for kind in self.homes)

    def _class(self, kind: str) -> Any:
        if kind not in self.homes:
            raise DatasetError(f"{self._filepath} takes a {self._kinds}, but got a {kind}")
        return getattr(import_module(self.homes[kind]), kind)

    @property
    def _kinds(self) -> str:
        return " or ".join(self.homes)

    def preview(self) -> JSONPreview:
        """What the folder's manifest says."""
        folder = load_folder(self._get_load_path(), verify=False)
        shapes = {name: f"{array.dtype} {list(array.shape)}" for name, array in folder.arrays.items()}
        return json_preview({"kind": folder.kind, **folder.metadata, "arrays": shapes})


class CorpusDataset(ModelFolderDataset):
    """A `Corpus`."""

    homes: ClassVar = {"Corpus": "larix.corpora.corpus"}

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
    """`TextFeatures`, `JointFeatures` with an encoder, or `GivenFeatures` where documents come as rows."""

    homes: ClassVar = {
        "TextFeatures": "larix.xmc.text_features",
        "JointFeatures": "larix.xmc.transformer.joint_features",
        "GivenFeatures": "larix.serving.given_features",
    }


class EncoderDataset(ModelFolderDataset):
    """A `TrainableEncoder` when it is saved, and its files, as `EncoderFiles`, when it is loaded."""

    homes: ClassVar = {
        "EncoderFiles": "larix.xmc.transformer.encoder_files",
        "TrainableEncoder": "larix.xmc.transformer.trainable_encoder",
    }


class TopLayersDataset(ModelFolderDataset):
    """`TopLayers` of an encoder."""

    homes: ClassVar = {"TopLayers": "larix.xmc.transformer.top_layers"}


class LabelTreeDataset(ModelFolderDataset):
    """A `LabelTree`."""

    homes: ClassVar = {"LabelTree": "larix.xmc.label_tree"}

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

    homes: ClassVar = {"LinearMatcher": "larix.xmc.linear_stages"}


class LinearRankerDataset(ModelFolderDataset):
    """A `LinearRanker`."""

    homes: ClassVar = {"LinearRanker": "larix.xmc.linear_stages"}


class EnsembleDataset(ModelFolderDataset):
    """An `Ensemble`: several models that answer together."""

    homes: ClassVar = {"Ensemble": "larix.xmc.ensemble"}


class RefinementDataset(ModelFolderDataset):
    """A `Refinement`: what is done to a model's scores."""

    homes: ClassVar = {"Refinement": "larix.xmc.refinement"}


class SuggesterDataset(ModelFolderDataset):
    """A `Suggester`: the whole classifier."""

    homes: ClassVar = {"Suggester": "larix.serving.suggester"}
