"""Parameters of the tracking with MLflow."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MlflowParams:
    """Whether finished runs are logged to MLflow, and where.

    Parameters
    ----------
    enabled : bool
    tracking_uri : str or None
        Of MLflow's server or database; None leaves it to MLflow: the variable MLFLOW_TRACKING_URI, or
        `mlflow.db` in the current folder.
    experiment : str
        Name of the experiment; it is made if there is none.
    log_model : bool
        Whether the classifier is logged too, as a model of MLflow that takes texts.

    Raises
    ------
    ValueError
        If a name is empty.
    """

    enabled: bool = False
    tracking_uri: str | None = None
    experiment: str = "larix"
    log_model: bool = True

    def __post_init__(self) -> None:
        if not self.experiment.strip():
            raise ValueError(f"mlflow.experiment must be a name, but is {self.experiment!r}")
        if self.tracking_uri is not None and not self.tracking_uri.strip():
            raise ValueError(
                f"mlflow.tracking_uri must be an address, but is {self.tracking_uri!r}; "
                "null leaves it to MLflow"
            )
