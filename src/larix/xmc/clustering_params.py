"""Parameters of clustering."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from larix.xmc.choice import check_choice
from larix.xmc.ranges import check_least

Family = Literal["kmeans", "neighbors"]


@dataclass(frozen=True)
class SamplingParams:
    """How many members of a node its split is learnt on; all of them are then split.

    The upper levels of the tree have the most members to spare: the first `warmup` of the binary levels learn
    on `min_rate` of the members, and the rate then rises evenly to `max_rate` at the last level.

    Parameters
    ----------
    min_rate, max_rate : float
        Shares of the members, above 0 and at most 1.
    warmup : float
        Share of the levels, from 0 to 1.
    """

    min_rate: float = 0.1
    max_rate: float = 1.0
    warmup: float = 0.4

    def __post_init__(self) -> None:
        if not 0 < self.min_rate <= self.max_rate <= 1:
            raise ValueError(
                "sample rates must be above 0 and rise to at most 1, but are "
                f"min_rate {self.min_rate} and max_rate {self.max_rate}"
            )
        if not 0 <= self.warmup <= 1:
            raise ValueError(f"warmup is a share of levels from 0 to 1, but is {self.warmup}")

    def rate(self, level: int, n_levels: int) -> float:
        """Share of the members that a split of this binary level is learnt on."""
        n_warm = int(self.warmup * n_levels)
        rising = max(0, level - n_warm + 1) / max(1, n_levels - n_warm)
        return self.min_rate + (self.max_rate - self.min_rate) * rising


@dataclass(frozen=True)
class ClusteringParams:
    """How labels are grouped.

    Parameters
    ----------
    branching : int
        B, most children of a node above the clusters, 2 or more.
    max_leaf_size : int
        Most labels of a cluster (times 1 + `size_slack`); at least the number of labels means one flat level
        (one-vs-all).
    root_branching : int or None
        Most children of the root; None means `branching`.
    family : {"kmeans", "neighbors"}
        Halving by 2-means from the top, or merging of nearest neighbours from the bottom.
    spherical : bool
        2-means compares with unit centres (cosine) rather than means.
    max_iter : int
        Most iterations of one split.
    tolerance : float
        A split is done when at most this share of its members changes sides.
    size_slack : float
        s: clusters hold between 1 / (1 + s) and 1 + s times the average number of labels, and a split lies
        where k-means would have it, as far as that allows. 0 halves evenly; 3 hardly binds.
    sampling : SamplingParams or None
        Learn splits on some of the members; None uses all.
    n_neighbors : int
        Neighbours of a label that the family "neighbors" considers.
    """

    branching: int = 16
    max_leaf_size: int = 100
    root_branching: int | None = None
    family: Family = "kmeans"
    spherical: bool = True
    max_iter: int = 20
    tolerance: float = 0.002
    size_slack: float = 0.0
    sampling: SamplingParams | None = None
    n_neighbors: int = 10

    def __post_init__(self) -> None:
        check_least(self, 2, "branching", "max_leaf_size")
        check_least(self, 1, "max_iter", "n_neighbors")
        if self.root_branching is not None and self.root_branching < 2:
            raise ValueError(f"root_branching must be at least 2 or None, but is {self.root_branching}")
        if not 0 <= self.tolerance < 1:
            raise ValueError(f"tolerance is a share from 0 to below 1, but is {self.tolerance}")
        if not 0 <= self.size_slack < float("inf"):
            raise ValueError(f"size_slack must be finite and not negative, but is {self.size_slack}")
        check_choice("family", self.family, get_args(Family))
        if isinstance(self.sampling, Mapping):  # as YAML and saved models give it
            object.__setattr__(self, "sampling", SamplingParams(**self.sampling))
