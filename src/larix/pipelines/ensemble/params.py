"""Parameters of the ensemble stage."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, get_args

from larix.pipelines.label_indexing.nodes import LabelIndexingParams
from larix.pipelines.stage_params import StageParams, changed
from larix.xmc.choice import check_choice
from larix.xmc.ensemble import Rule


@dataclass(frozen=True)
class MemberParams:
    """How a further tree differs from the first.

    Parameters
    ----------
    random_state : int or None
        None adds the member's place, from 1, to the seed of the run.
    representation, label_text, clustering : mapping
        What differs from those of the label indexing.
    """

    random_state: int | None = None
    representation: Mapping[str, Any] = field(default_factory=dict)
    label_text: Mapping[str, Any] = field(default_factory=dict)
    clustering: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.indexing(LabelIndexingParams())

    def indexing(self, first: LabelIndexingParams) -> LabelIndexingParams:
        """Parameters of this tree, given those of the first."""
        groups = [group.name for group in fields(first)]
        return LabelIndexingParams(
            **{name: changed(getattr(first, name), getattr(self, name), name) for name in groups}
        )


@dataclass(frozen=True)
class EnsembleParams(StageParams):
    """Which trees answer together.

    Parameters
    ----------
    members : tuple of MemberParams
        Trees beside the first, which learn and are searched as it is.
    rule : {"average", "rank_average", "sigmoid_average", "softmax_average", "round_robin"}
        How their scores become one; see `larix.xmc.ensemble.combine_predictions`.
    """

    members: tuple[MemberParams, ...] = ()
    rule: Rule = "average"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("rule", self.rule, get_args(Rule))
