"""Who takes part, with which settings, and what their environments hold."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Competitor:
    """A library with its settings.

    Parameters
    ----------
    name : str
        For options and results.
    settings : str
        For the page.
    distribution, version : str
        What its environment must hold.
    installs : tuple of tuples of str
        Arguments of the calls of pip that fill the environment; none means the environment of larix.
    matched : bool
        Whether tree, solver and search are set as larix' are, so that ratios mean something.
    """

    name: str
    settings: str
    distribution: str
    version: str = ""
    installs: tuple[tuple[str, ...], ...] = ()
    matched: bool = False

    @property
    def title(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}".strip()

    @property
    def adapter(self) -> str:
        """Module that drives it."""
        return f"benchmarks.adapters.{self.name}"


LARIX = Competitor(
    "larix",
    "PIFA; spherical k-means, 16 branches, clusters of at most 100 labels, 20 iterations; squared hinge with "
    "eps 0.1; weights below 0.1 dropped; teacher-forced negatives; beam of 10",
    "larix",
    matched=True,
)
ROUNDED = "larix, 16 bits"
"""larix' model again, with its weights rounded."""
RIVALS = {
    rival.name: rival
    for rival in (
        Competitor(
            "libpecos",
            "XR-Linear with the same settings",
            "libpecos",
            "1.2.8",
            # Its linear part needs none of the packages for transformers that it depends on.
            (("numpy<2", "scipy<1.14", "scikit-learn"), ("--no-deps", "libpecos==1.2.8")),
            matched=True,
        ),
        Competitor(
            "omikuji",
            "Parabel, its defaults: three trees of two branches, clusters of at most 100 labels; beam of 10",
            "omikuji",
            "0.5.2",
            (("omikuji==0.5.2", "numpy", "scipy"),),
        ),
        Competitor(
            "napkinxc",
            "PLT, its defaults: one tree of two branches from balanced k-means, clusters of at most 100 "
            "labels, logistic loss; exact search",
            "napkinxc",
            "0.7.2",
            (("napkinxc==0.7.2",),),
        ),
    )
}
SKLEARN = Competitor("scikit-learn", "TfidfVectorizer", "scikit-learn")
"""For text to TF-IDF. larix depends on it, so it shares larix' environment."""
