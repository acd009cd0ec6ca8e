"""The forms of requests and answers, from which the OpenAPI description is made."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class SuggestRequest(BaseModel):
    """One text or several, and what is asked about them."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    texts: Annotated[
        list[str],
        BeforeValidator(_listed, json_schema_input_type=str | list[str]),
        Field(min_length=1, description="One text, or a list of them.", examples=[["bitten by a dog"]]),
    ]
    top_k: int = Field(5, ge=1, description="Most labels for each text.")
    threshold: float | None = Field(
        None, description="Leave out labels with a lower score; without it the classifier's own threshold."
    )
    explain: bool = Field(False, description="Say why each label is suggested.")


class Suggested(BaseModel):
    """A label of a text."""

    label: str
    name: str
    score: float
    why: dict[str, Any] | None = Field(
        None,
        description="The way through each tree with what features added, votes, nearest documents; "
        "of an ensemble, these of each of its members.",
    )


class TextAnswer(BaseModel):
    """The labels of one text, best first."""

    suggestions: list[Suggested]


class SuggestAnswer(BaseModel):
    """An answer for every text, in their order."""

    model: str = Field(description="Version of the classifier that answered.")
    results: list[TextAnswer]


class FoundLabel(BaseModel):
    """A label that the classifier knows."""

    label: str
    name: str
    n_documents: int = Field(description="Training documents with this label.")


class LabelsAnswer(BaseModel):
    """Labels that match, the likeliest first."""

    model: str
    n_matches: int = Field(description="All labels that match; some may not be listed.")
    labels: list[FoundLabel]


class Alive(BaseModel):
    """The process lives."""

    status: str


class Readiness(BaseModel):
    """What the service does."""

    status: str
    model: str | None = Field(None, description="Version of the classifier that answers.")


class Reloaded(BaseModel):
    """What a reload found."""

    model: str
    changed: bool = Field(description="Whether another classifier took the place of the one before.")


class Fault(BaseModel):
    """Why a request was refused."""

    code: str
    message: str


class ErrorAnswer(BaseModel):
    """The form of every error."""

    error: Fault
