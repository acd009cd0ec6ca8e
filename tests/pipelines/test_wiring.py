"""How pipelines are put together: nodes are thin, stages replaceable, everything is catalogued."""

import ast
import inspect
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
import yaml

from larix.pipeline_registry import LINEAR_STAGES, register_pipelines
from tests.conftest import REPOSITORY

PIPELINES = register_pipelines()
STAGES = sorted({*LINEAR_STAGES, "inference", "tuning"})
CATALOG = {
    name: entry
    for file in sorted((REPOSITORY / "conf" / "base").glob("catalog_*.yml"))
    for name, entry in yaml.safe_load(file.read_text()).items()
}


def nodes_module(stage: str) -> ast.Module:
    source = REPOSITORY / "src" / "larix" / "pipelines" / stage / "nodes.py"
    return ast.parse(source.read_text())


def test_the_default_pipeline_is_all_of_the_linear_path():
    names = {node.name for stage in LINEAR_STAGES for node in PIPELINES[stage].nodes}
    assert {node.name for node in PIPELINES["__default__"].nodes} == names


def test_every_dataset_is_catalogued_and_every_entry_used():
    used = {name for pipeline in PIPELINES.values() for name in pipeline.datasets()}
    used = {re.sub(r"^round_\d+_", "round_{n}_", name) for name in used}
    assert {name for name in used if not name.startswith("param")} == set(CATALOG)


def layer(name: str) -> str | None:
    """The layer of a dataset in Kedro-Viz."""
    entry = CATALOG.get(re.sub(r"^round_\d+_", "round_{n}_", name))
    return None if entry is None else entry["metadata"]["kedro-viz"]["layer"]


# An encoder that is trained on the tree makes features for the models below, which no order can show.
@pytest.mark.parametrize("name", sorted({*PIPELINES} - {"cluster_matcher", "x_transformer"}))
def test_layers_have_an_order_so_that_kedro_viz_shows_them(name):
    below: dict[str, set[str]] = {}
    for node in PIPELINES[name].nodes:
        for output in node.outputs:
            above = {layer(read) for read in node.inputs} - {None, layer(output)}
            below.setdefault(layer(output), set()).update(above)
    TopologicalSorter(below).prepare()  # an error if there is a circle


def test_every_entry_has_a_layer_and_is_ours():
    for name, entry in CATALOG.items():
        assert entry["metadata"]["kedro-viz"]["layer"], name
        assert entry["type"].startswith("larix.datasets."), name
        writes_conf = entry["type"] == "larix.datasets.EnvironmentDataset"
        assert entry["filepath"].startswith("conf" if writes_conf else "${globals:data}/0"), name


@pytest.mark.parametrize("stage", STAGES)
def test_nodes_are_of_at_most_ten_statements_and_import_no_kedro(stage):
    module = nodes_module(stage)
    for function in (item for item in module.body if isinstance(item, ast.FunctionDef)):
        statements = [item for item in ast.walk(function) if isinstance(item, ast.stmt)]
        assert len(statements) - 1 <= 10 + 1, function.name  # the docstring is none
    imported = {
        name.split(".")[0]
        for item in ast.walk(module)
        if isinstance(item, ast.Import | ast.ImportFrom)
        for name in (
            [item.module] if isinstance(item, ast.ImportFrom) else [alias.name for alias in item.names]
        )
    }
    assert "kedro" not in imported


@pytest.mark.parametrize("stage", STAGES)
def test_nodes_are_told_apart_by_their_stage(stage):
    for node in PIPELINES[stage].nodes:
        if stage == "tuning" and "ingestion" in node.tags:  # it reads the corpus first
            continue
        is_round = stage == "disentanglement" and re.fullmatch(r"round_\d+", node.namespace)
        assert is_round or node.namespace == stage
        assert stage in node.tags
        assert node.name.startswith(f"{node.namespace}.")


def test_parameters_of_nodes_are_annotated():
    for node in PIPELINES["__default__"].nodes:
        arguments = list(inspect.signature(node.func).parameters.values())
        for name, argument in zip(node.inputs, arguments, strict=False):
            if name.startswith("params:") and argument.kind is not argument.VAR_POSITIONAL:
                assert argument.annotation is not argument.empty, (node.name, name)


def test_each_stage_has_its_parameter_file():
    for stage in STAGES:
        content = yaml.safe_load(Path(REPOSITORY, f"conf/base/parameters_{stage}.yml").read_text())
        assert stage in content
