"""What one request, and all that wait, may ask of the service."""

from dataclasses import dataclass, fields

from larix.xmc.ranges import check_positive


@dataclass(frozen=True)
class Limits:
    """Limits of the service; a request beyond one is refused with a message that names it.

    Parameters
    ----------
    max_bytes : int
        Of a request's body.
    max_texts : int
        In one request, and in one batch that the classifier computes.
    max_characters : int
        Of one text.
    max_top_k : int
        Labels for one text.
    max_explanations : int
        Texts times labels of a request that asks for explanations; one takes about as long as 20 texts.
    max_seconds : float
        From the arrival of a request to its answer. What is not begun by then is not computed.
    max_waiting : int
        Texts that wait for the classifier, of all requests to one process.
    """

    max_bytes: int = 1_000_000
    max_texts: int = 100
    max_characters: int = 20_000
    max_top_k: int = 100
    max_explanations: int = 20
    max_seconds: float = 10.0
    max_waiting: int = 5_000

    def __post_init__(self) -> None:
        check_positive(self, *(field.name for field in fields(self)))
        if self.max_waiting < self.max_texts:
            raise ValueError(
                f"max_waiting must be at least max_texts = {self.max_texts}, but is {self.max_waiting}"
            )
