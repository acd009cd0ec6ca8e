"""What larix sets out to reach against libpecos at the same settings."""

from dataclasses import dataclass

from benchmarks.competitors import ROUNDED
from benchmarks.results import Ratio, Results

RIVAL = "libpecos"
MOST_POINTS_LOST = 0.3
MOST_POINTS_LOST_BY_ROUNDING = 0.1


@dataclass(frozen=True)
class Target:
    """A ratio that should not be exceeded.

    Parameters
    ----------
    what : str
    corpora : tuple of str
        The first is the one that the target is about; it also holds for the others that were measured.
    figure : str
        Key of the results, on larix' side.
    most, reach : float
        The target, and what would be better still.
    rival_figure : str, optional
        Key on the rival's side, if another.
    ours : str
        The competitor on larix' side.
    binds : str
        What stands in the way, for when it isn't met.
    """

    what: str
    corpora: tuple[str, ...]
    figure: str
    most: float
    reach: float | None = None
    rival_figure: str | None = None
    ours: str = "larix"
    binds: str = ""


@dataclass(frozen=True)
class Outcome:
    """A target and what was measured."""

    target: Target
    corpus: str
    ours: float
    theirs: float
    ratio: Ratio

    @property
    def missed(self) -> bool:
        """Whether the target isn't met."""
        return self.ratio.median > self.target.most

    @property
    def verdict(self) -> str:
        """In a word or two."""
        return verdict(self.ratio.median, self.target.most, self.target.reach)


_BY_SIZE = ("syn-l", "syn-m", "tibkat", "syn-s", "icd")
TARGETS = (
    Target("training, CPU s", ("tibkat", "syn-l", "syn-m", "syn-s", "icd"), "train_cpu_s", 0.5, 0.25),
    Target(
        "indexing (PIFA and clustering), wall s",
        ("syn-m", "syn-l", "tibkat", "syn-s", "icd"),
        "indexing_s",
        0.7,
        0.3,
        binds="The nodes at the top, whose rows lie too far apart for the caches.",
    ),
    Target(
        "indexing, CPU s",
        ("syn-m", "syn-l", "tibkat", "syn-s", "icd"),
        "indexing_cpu_s",
        0.7,
        0.3,
        binds="The nodes at the top, whose rows lie too far apart for the caches.",
    ),
    Target(
        "batch prediction, 2 threads, CPU ms a row",
        ("tibkat", "icd", "syn-m", "syn-l", "syn-s"),
        "batch_cpu_ms_2",
        0.6,
        0.3,
    ),
    Target(
        "one row, 1 thread, ms, median",
        ("icd", "tibkat", "syn-s", "syn-m", "syn-l"),
        "row_ms_p50",
        0.3,
        0.15,
        binds="Finding a row's features in the chunks of its beam, each look-up a fetch from memory.",
    ),
    Target(
        "peak memory of training, MB",
        _BY_SIZE,
        "train_peak_mb",
        0.8,
        0.5,
        binds="On small corpora what is there before the data, most of it numba and its compiled kernels; on "
        "large ones the label representations, and then the weights in parts and as a whole.",
    ),
    Target(
        "model load, digests checked, s",
        _BY_SIZE,
        "load_s",
        0.1,
        binds="SHA-256 of every byte, in one thread a file.",
    ),
    Target(
        "model load, unverified, s",
        _BY_SIZE,
        "load_unverified_s",
        0.1,
        0.01,
        "load_s",
        binds="On small models opening the files; on large ones the check that no stored index leads a "
        "search out of bounds, which reads all but the weights.",
    ),
    Target("model size, MB", _BY_SIZE, "model_mb", 1.0, 0.5),
    Target("model size, weights of 16 bits, MB", _BY_SIZE, "model_mb", 1.0, 0.5, ours=ROUNDED),
)
TEXT_TARGET, TEXT_REACH = 0.5, 0.2
GROWTH_TARGET = 30.0


def verdict(value: float, most: float, reach: float | None = None) -> str:
    """Whether a value keeps within a target, and within what would be better still."""
    if reach is not None and value <= reach:
        return "met, and the reach"
    return "met" if value <= most else "**not met**"


def outcomes(results: Results) -> list[Outcome]:
    """Every target on every corpus that was measured with the rival."""
    found = []
    for target in TARGETS:
        for corpus in target.corpora:
            if corpus not in results.corpora():
                continue
            ratio = results.ratio(corpus, RIVAL, target.figure, target.rival_figure, target.ours)
            ours = results.median(corpus, target.ours, target.figure)
            theirs = results.median(corpus, RIVAL, target.rival_figure or target.figure)
            if ratio is not None and ours is not None and theirs is not None:
                found.append(Outcome(target, corpus, ours, theirs, ratio))
    return found


def unmeasured(results: Results) -> dict[str, list[str]]:
    """Targets whose own corpus was not measured, by that corpus."""
    missing: dict[str, list[str]] = {}
    for target in TARGETS:
        if target.corpora[0] not in results.corpora():
            missing.setdefault(target.corpora[0], []).append(target.what)
    if growth(results, "larix") is None:
        missing.setdefault("syn-l", []).append("growth from syn-s to syn-l")
    return missing


def growth(results: Results, competitor: str) -> float | None:
    """How many times the training CPU of syn-s syn-l takes."""
    if not {"syn-s", "syn-l"} <= set(results.corpora()):
        return None
    small, large = (results.median(corpus, competitor, "train_cpu_s") for corpus in ("syn-s", "syn-l"))
    return large / small if small and large else None


def largest_loss(results: Results, corpus: str, ours: str = "larix", theirs: str = RIVAL) -> float | None:
    """Most points of P@1, P@3 or P@5 that one is behind another; negative if it is ahead everywhere."""
    losses = []
    for metric in ("P@1", "P@3", "P@5"):
        own, other = (results.median(corpus, who, metric) for who in (ours, theirs))
        if own is None or other is None:
            return None
        losses.append(100 * (other - own))
    return max(losses)
