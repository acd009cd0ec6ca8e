"""Kedro datasets for larix's artefacts: written whole or not at all, checked, free of pickle."""

from larix.datasets.environment import EnvironmentDataset
from larix.datasets.figure import FigureDataset
from larix.datasets.folder import FolderDataset
from larix.datasets.html_page import HTMLPageDataset
from larix.datasets.json_document import JSONDocumentDataset, TableDocumentDataset
from larix.datasets.matrix import MatrixDataset
from larix.datasets.metrics_document import MetricsDataset
from larix.datasets.model_folder import (
    CorpusDataset,
    EncoderDataset,
    EnsembleDataset,
    LabelTreeDataset,
    LinearMatcherDataset,
    LinearRankerDataset,
    ModelFolderDataset,
    RefinementDataset,
    SuggesterDataset,
    TextFeaturesDataset,
    TopLayersDataset,
)
from larix.datasets.sparse_matrix import SparseMatrixDataset
from larix.datasets.suggestions import SuggestionsDataset

__all__ = [
    "CorpusDataset",
    "EncoderDataset",
    "EnsembleDataset",
    "EnvironmentDataset",
    "FigureDataset",
    "FolderDataset",
    "HTMLPageDataset",
    "JSONDocumentDataset",
    "LabelTreeDataset",
    "LinearMatcherDataset",
    "LinearRankerDataset",
    "MatrixDataset",
    "MetricsDataset",
    "ModelFolderDataset",
    "RefinementDataset",
    "SparseMatrixDataset",
    "SuggesterDataset",
    "SuggestionsDataset",
    "TableDocumentDataset",
    "TextFeaturesDataset",
    "TopLayersDataset",
]
