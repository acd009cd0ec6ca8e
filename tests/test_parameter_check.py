"""Unknown parameters and wrong types are found."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Literal

import pytest

from larix.parameter_check import ParameterError, check_parameters, known_parameters


@dataclass(frozen=True)
class Inner:
    cost: float = 1.0
    limit: int | None = None


@dataclass(frozen=True)
class Outer:
    inner: Inner = field(default_factory=Inner)
    extra: Inner | None = None
    mode: Literal["fast", "slow"] = "fast"
    names: tuple[str, ...] = ()
    levels: Inner | tuple[Inner, ...] = ()


def train(data: object, params: Outer, seed: int, rate: float, anything) -> None:
    """A node."""


NODE = SimpleNamespace(
    func=train, inputs=["data", "params:stage", "params:seed", "params:group.rate", "params:group.free"]
)
KNOWN = known_parameters([NODE])


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"stage": {"inner": {"cost": 2, "limit": None}, "mode": "slow", "names": ["a"]}, "seed": 3},
        {"stage": {"extra": None}},
        {"stage": {"names": "a"}},
        {"stage": {"levels": {"cost": [1, 2.5], "limit": [None, 3]}}},
        {"group": {"rate": 1, "free": {"any": ["thing"]}}},
        {"_anchors": {"whatever": 1}, "seed": 0},
    ],
)
def test_what_nodes_read_is_accepted(parameters):
    check_parameters(parameters, KNOWN)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"stge": {}}, "no stage reads the parameter 'stge'.*did you mean 'stage'"),
        ({"stage": {"iner": {}}}, "'stage.iner'.*in 'stage' did you mean 'inner'"),
        ({"stage": {"inner": {"csot": 1}}}, "'stage.inner.csot'.*did you mean 'cost'"),
        ({"stage": {"extra": {"limits": 1}}}, "'stage.extra.limits'.*did you mean 'limit'"),
        ({"group": {"rat": 1}}, "'group.rat'.*did you mean 'rate'"),
        ({"seed": {"deeper": 1}}, "'seed' must be an integer, but is {'deeper': 1}"),
        ({"seed": "3"}, "'seed' must be an integer, but is '3'"),
        ({"seed": True}, "'seed' must be an integer, but is True"),
        ({"stage": 3}, "'stage' must be a group with inner, extra, mode, names, levels, but is 3"),
        ({"stage": {"names": ["a", 1]}}, r"'stage.names' must be a list of such, but is \['a', 1\]"),
        ({"stage": {"levels": {"cost": [1, "a"]}}}, "'stage.levels.cost' must be a number or a list of such"),
        ({"stage": {"inner": {"cost": [1, 2]}}}, r"'stage.inner.cost' must be a number, but is \[1, 2\]"),
        ({"stage": {"mode": "fats"}}, "'stage.mode' must be 'fast' or 'slow', but is 'fats'"),
        ({"stage": {"inner": {"limit": 1.5}}}, "'stage.inner.limit' must be an integer or null, but is 1.5"),
    ],
)
def test_what_no_node_can_use_is_refused_with_a_remedy(parameters, message):
    with pytest.raises(ParameterError, match=message):
        check_parameters(parameters, KNOWN)


def test_the_place_of_a_wrong_key_is_told(tmp_path):
    for env, text in (
        ("base", "stage:\n  inner:\n    cost: 1\n"),
        ("mine", "\n\nstage:\n  inner: {csot: 2}\n"),
    ):
        folder = tmp_path / "conf" / env
        folder.mkdir(parents=True)
        (folder / "parameters_stage.yml").write_text(text)
    folders = [tmp_path / "conf" / "base", tmp_path / "conf" / "mine"]
    wrong = {"stage": {"inner": {"cost": 1, "csot": 2}}}
    with pytest.raises(ParameterError, match=r"\(conf/mine/parameters_stage\.yml:4\)"):
        check_parameters(wrong, KNOWN, conf_folders=folders)
    with pytest.raises(ParameterError, match=r"\(given with --params\)"):
        check_parameters(wrong, KNOWN, given={"stage": {"inner": {"csot": 2}}}, conf_folders=folders)
