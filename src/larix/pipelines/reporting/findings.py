"""What a closer look at the predictions shows, between the node that looks and those that draw and write."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from larix.reporting import Example, LabelRow, Suggested
from larix.xmc.label_quality import FrequencyBin


@dataclass(frozen=True)
class Findings:
    """Parts of a `larix.reporting.content.RunReport`; see there."""

    k: int
    curves: Mapping[str, Sequence[float]]
    frequency_bins: Sequence[FrequencyBin]
    cluster_sizes: Sequence[int]
    worst_labels: Sequence[LabelRow]
    right: Sequence[Example]
    wrong: Sequence[Example]
    reliability: Mapping[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """What `to_dict` made plain."""
        return cls(
            k=plain["k"],
            curves=plain["curves"],
            frequency_bins=[FrequencyBin(**values) for values in plain["frequency_bins"]],
            cluster_sizes=plain["cluster_sizes"],
            worst_labels=[LabelRow(**values) for values in plain["worst_labels"]],
            right=[_example(values) for values in plain["right"]],
            wrong=[_example(values) for values in plain["wrong"]],
            reliability=plain["reliability"],
        )


def _example(values: Mapping[str, Any]) -> Example:
    suggestions = tuple(Suggested(**suggestion) for suggestion in values["suggestions"])
    return Example(values["text"], suggestions, tuple((label, name) for label, name in values["missed"]))
