"""How many rounds there are at most: `disentanglement_rounds` in globals.yml.

Pipelines are made before parameters are known, so their number can't be a parameter. A hook tells it here
when the configuration has been read.
"""

DEFAULT_ROUNDS = 1
_rounds = DEFAULT_ROUNDS


def set_rounds(n: object) -> None:
    """Set the number of rounds that pipelines are made with.

    Raises
    ------
    ValueError
        If it is no whole number from 0.
    """
    global _rounds
    if isinstance(n, bool) or not isinstance(n, int) or n < 0:
        raise ValueError(f"disentanglement_rounds in globals.yml must be a whole number from 0, but is {n!r}")
    _rounds = n


def n_rounds() -> int:
    """The number of rounds."""
    return _rounds
