"""Metrics as a JSON file, shown by Kedro-Viz as a table."""

from kedro_datasets._typing import TablePreview

from larix.datasets.json_document import JSONDocumentDataset, table_preview

_BANDS = ("head", "torso", "tail")


class MetricsDataset(JSONDocumentDataset):
    """`Evaluation.to_dict()`: metrics over all labels and by label frequency."""

    def preview(self) -> TablePreview:
        """Metrics in percent, over all labels and by label frequency."""
        document = self.load()
        columns = [document["metrics"], *(document["by_frequency"][band] for band in _BANDS)]
        rows = [[name, *(_percent(column[name]) for column in columns)] for name in columns[0]]
        return table_preview(["metric", "all labels", *_BANDS], rows)


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.2f}"
