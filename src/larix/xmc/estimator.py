"""What scikit-learn expects of an estimator, without importing it.

Its base class brings scipy.stats and, where it is installed, pandas along: a second and 130 MB before the
first row is scored. Estimators here keep the same contract: `__init__` only stores its arguments, learnt
state ends in an underscore, and `get_params`, `set_params` and `clone` go by the names of the arguments.
"""

import copy
import inspect
from typing import Any, Self


class Estimator:
    """Base of all estimators."""

    @classmethod
    def _param_names(cls) -> list[str]:
        return sorted(name for name in inspect.signature(cls.__init__).parameters if name != "self")

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Arguments by name; with `deep` also those of estimators among them, as `name__argument`."""
        params = {name: getattr(self, name) for name in self._param_names()}
        for name, value in list(params.items()) if deep else []:
            if hasattr(value, "get_params") and not isinstance(value, type):
                params |= {f"{name}__{inner}": given for inner, given in value.get_params().items()}
        return params

    def set_params(self, **params: Any) -> Self:
        """Set arguments by name.

        Raises
        ------
        ValueError
            For a name that is none of them.
        """
        for key, value in params.items():
            name, _, inner = key.partition("__")
            if name not in self._param_names():
                known = ", ".join(self._param_names())
                raise ValueError(f"{name!r} is no parameter of {type(self).__name__}; it has {known}")
            if inner:
                getattr(self, name).set_params(**{inner: value})
            else:
                setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        """The call that makes it, arguments left out that are as by default."""
        defaults = inspect.signature(type(self).__init__).parameters
        given = {name: getattr(self, name) for name in self._param_names()}
        told = [f"{name}={value!r}" for name, value in given.items() if value != defaults[name].default]
        return f"{type(self).__name__}({', '.join(told)})"

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn's tools may expect."""
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(estimator_type=None, target_tags=TargetTags(required=False), input_tags=InputTags())


def clone(estimator: Any) -> Any:
    """An estimator with the same arguments that has learnt nothing; the arguments are copies."""
    arguments = estimator.get_params(deep=False)
    return type(estimator)(**{name: _copied(value) for name, value in arguments.items()})


def _copied(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(map(_copied, value))
    return clone(value) if hasattr(value, "get_params") else copy.deepcopy(value)


def check_is_fitted(estimator: Any) -> None:
    """Refuse an estimator that has learnt nothing yet.

    Raises
    ------
    sklearn.exceptions.NotFittedError
    """
    if any(name.endswith("_") and not name.startswith("_") for name in vars(estimator)):
        return
    from sklearn.exceptions import NotFittedError

    raise NotFittedError(f"this {type(estimator).__name__} is not fitted yet; call fit, or load a saved one")
