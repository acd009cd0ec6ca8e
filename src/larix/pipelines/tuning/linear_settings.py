"""The parameters of the linear path as one object, made of the configuration."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Any, get_type_hints

from larix.corpora.nearest import nearest_hint
from larix.pipelines.disentanglement.params import RoundParams
from larix.pipelines.label_indexing.nodes import LabelIndexingParams
from larix.pipelines.matcher_training.nodes import MatcherTrainingParams
from larix.pipelines.ranking.nodes import RankingParams
from larix.pipelines.refinement.params import RefinementParams
from larix.pipelines.vectorization.nodes import VectorizationParams
from larix.xmc.beam_search import SearchParams

ROUNDS = "disentanglement_rounds"
"""A path of its own: the one setting of the linear path that stands in globals.yml."""

_OF_PREDICTION = (
    "search.",
    "refinement.",
    "disentanglement.max_cost",
    "disentanglement.metric",
    "disentanglement.min_improvement",
)


def is_prediction(path: str) -> bool:
    """Whether a parameter leaves trees and weights as they are."""
    return path.startswith(_OF_PREDICTION)


@dataclass(frozen=True)
class LinearSettings:
    """What a run of the linear path does.

    Parameters
    ----------
    vectorization : VectorizationParams
    label_indexing : LabelIndexingParams
    matcher_training : MatcherTrainingParams
    ranking : RankingParams
    search : SearchParams
    disentanglement : RoundParams
    refinement : RefinementParams
    disentanglement_rounds : int
    """

    vectorization: VectorizationParams
    label_indexing: LabelIndexingParams
    matcher_training: MatcherTrainingParams
    ranking: RankingParams
    search: SearchParams
    disentanglement: RoundParams
    refinement: RefinementParams
    disentanglement_rounds: int = 1

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> "LinearSettings":
        """Build the stages' parameters of a configuration, and check them.

        Raises
        ------
        TypeError
            If a stage has no such parameter; the message names the nearest.
        ValueError
            If a value is out of range.
        """
        rounds = parameters.get(ROUNDS, 1)
        if isinstance(rounds, bool) or not isinstance(rounds, int) or rounds < 0:
            raise ValueError(f"{ROUNDS} must be a whole number from 0, but is {rounds!r}")
        kinds = get_type_hints(cls)
        stages = {
            name: _built(name, kinds[name], parameters.get(name) or {}) for name in kinds if name != ROUNDS
        }
        return cls(**stages, disentanglement_rounds=rounds)


def tunable(parameters: Mapping[str, Any], rounds: int) -> dict[str, Any]:
    """The stages' part of a configuration as plain values, with the number of rounds."""
    stages = [field.name for field in fields(LinearSettings) if field.name != ROUNDS]
    return {name: _plain(parameters.get(name) or {}) for name in stages} | {ROUNDS: rounds}


def check_path(path: str) -> None:
    """Refuse a path that begins with no stage.

    Raises
    ------
    ValueError
        That lists what there is.
    """
    stages = [field.name for field in fields(LinearSettings)]
    if path.split(".")[0] not in stages:
        raise ValueError(
            f"tuning.space: {path} belongs to no stage of the linear path; "
            f"{nearest_hint(path.split('.')[0], stages)}"
        )


def _built(name: str, kind: Any, values: Mapping[str, Any]) -> Any:
    known = [field.name for field in fields(kind)]
    for key in values:
        if key not in known:
            raise TypeError(f"{name} has no key {key!r}; {nearest_hint(str(key), known)}")
    return kind(**values)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
