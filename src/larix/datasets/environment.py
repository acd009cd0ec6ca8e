"""An environment of the configuration, written by a run."""

import copy
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import yaml
from kedro.io import AbstractDataset
from kedro.io.core import DatasetError

from larix.atomic_file import write_atomically

logger = logging.getLogger(__name__)

_MARK = "# Written by a run"
_GLOBAL = "disentanglement_rounds"


class Loader(Protocol):
    """What is needed of Kedro's configuration loader."""

    conf_source: str
    base_env: str
    default_run_env: str
    env: str | None

    def __getitem__(self, key: str) -> dict[str, Any]: ...


class EnvironmentDataset(AbstractDataset[dict[str, Any], Path]):
    """A folder of `conf/` that holds the settings of the run that writes it, with some of them changed.

    It takes `name`, `changes` (values by dotted path) and `told` (what the first comment says). The
    environment is called by that name, after the name of the run's own environment if there is one, and gets
    a data folder of its own. It has all that the run's environment and `--params` changed of the base, so
    that `kedro run --env=NAME` is the same run with the changes. Loading gives its path.

    Parameters
    ----------
    filepath : str
        The folder of all environments.
    metadata : dict, optional
        For Kedro-Viz.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._folder = Path(filepath)
        self.metadata = metadata
        self._loader: Loader | None = None
        self._base: Mapping[str, Any] = {}
        self._written: Path | None = None

    def start_from(self, loader: Loader, base_parameters: Mapping[str, Any]) -> None:
        """Tell the configuration of the present run, and the parameters of the base alone."""
        self._loader, self._base = loader, base_parameters

    def load(self) -> Path:
        if self._written is None:
            raise DatasetError("no environment was written in this run; run the node that writes it, too")
        return self._written

    def save(self, data: dict[str, Any]) -> None:
        if self._loader is None:
            raise DatasetError("an environment can be written by a run alone, which tells its configuration")
        loader = self._loader
        own = loader.env if loader.env not in (None, loader.base_env, loader.default_run_env) else ""
        name = f"{own}_{data['name']}" if own else data["name"]
        folder = self._folder / name
        self._refuse_foreign(folder)
        changes = dict(data["changes"])
        settings = dict(loader["globals"]) | {"data": f"data/{name}"}
        if _GLOBAL in changes:
            settings[_GLOBAL] = changes.pop(_GLOBAL)
        settings = {key: value for key, value in settings.items() if not key.startswith("_")}
        given = copy.deepcopy(dict(loader["parameters"]))
        parameters = {key: value for key, value in given.items() if key != "tuning"}
        for path, value in changes.items():
            _set(parameters, path.split("."), value)
        head = f"{_MARK}: {data['told']}.\n# It is the same with: kedro run --env={name}\n"
        self._copy_catalog(Path(loader.conf_source) / own, folder) if own else None
        _write(folder / "globals.yml", head, settings)
        # Sorted, as configuration files are read in whatever order the file system has.
        different = sorted(_difference(parameters, self._base).items())
        _write(folder / "parameters.yml", head, dict(different))
        self._written = folder
        logger.info(
            "environment %r has the settings of %s; run: kedro run --env=%s", name, data["told"], name
        )

    def _refuse_foreign(self, folder: Path) -> None:
        parameters = folder / "parameters.yml"
        written = parameters.exists() and parameters.read_text(encoding="utf-8").startswith(_MARK)
        if folder.exists() and any(folder.iterdir()) and not written:
            raise DatasetError(
                f"{folder} was not written by a run, and is left as it is; "
                "give another name: --params=tuning.environment=NAME"
            )

    @staticmethod
    def _copy_catalog(source: Path, folder: Path) -> None:
        for file in sorted(source.glob("catalog*.y*ml")):
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, folder / file.name)

    def _exists(self) -> bool:
        return False  # it is written anew whenever a run makes it

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder)}


def _set(parameters: dict[str, Any], keys: list[str], value: Any) -> None:
    *groups, last = keys
    for group in groups:
        parameters = parameters.setdefault(group, {})
    if isinstance(value, Mapping) and isinstance(parameters.get(last), dict):  # merged, as environments are
        for key, inner in value.items():
            _set(parameters[last], [key], inner)
    else:
        parameters[last] = copy.deepcopy(value)


def _difference(values: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """What an environment over `base` has to say to come to `values`."""
    different: dict[str, Any] = {}
    for key, value in values.items():
        before = base.get(key, _MISSING)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            inner = _difference(value, before)
            if inner:
                different[key] = inner
        elif value != before or type(value) is not type(before):
            different[key] = value
    return different


_MISSING = object()


def _write(file: Path, head: str, content: Mapping[str, Any]) -> None:
    text = yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True, width=110) if content else ""
    write_atomically(file, (head + text).encode())
