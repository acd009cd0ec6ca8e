"""The documentation is true: examples run, commands exist, links lead somewhere, outputs are those of now."""

import contextlib
import importlib.util
import io
import logging
import pkgutil
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner

REPOSITORY = Path(__file__).parents[1]
DOCS = REPOSITORY / "docs"
PAGES = [*sorted(REPOSITORY.glob("*.md")), *sorted(DOCS.rglob("*.md"))]
MADE_ON_THE_PAGES = {"weekly", "books", "by_code", "wide", "mine", "papers", "tuned"}

FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EQUATION = re.compile(r"^```math\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PYTHON = re.compile(
    r"(?P<skipped><!-- not run: [^>]+-->\n)?^```python\n(?P<code>.*?)^```$"
    r"(?:\n\n<!-- prints -->\n```text\n(?P<printed>.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)


def page_name(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


def pages_with(pattern: re.Pattern[str]) -> Any:
    pages = [page for page in PAGES if pattern.search(page.read_text(encoding="utf-8"))]
    assert pages
    return pytest.mark.parametrize("page", pages, ids=page_name)


def load_script(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


refresh_outputs = load_script(DOCS / "tools" / "refresh_outputs.py")


@pytest.fixture
def folder(run_project, monkeypatch) -> Iterator[Path]:
    """A project after a run, whose folders have the names that the pages use."""
    shutil.copytree(DOCS / "examples", run_project.folder / "docs" / "examples")
    run_project.path("06_models").rename(run_project.folder / "data" / "06_models")
    monkeypatch.chdir(run_project.folder)
    monkeypatch.setenv("COLUMNS", "80")
    logging.disable()  # a run in this process has told Kedro's handlers to print
    yield run_project.folder
    logging.disable(logging.NOTSET)


@pages_with(PYTHON)
@pytest.mark.usefixtures("folder")
def test_python_examples_run_and_print_what_the_page_says(page):
    text, names = page.read_text(encoding="utf-8"), {}
    for block in PYTHON.finditer(text):
        if block["skipped"]:
            continue
        line = text.count("\n", 0, block.start("code"))
        code = compile("\n" * line + block["code"], page_name(page), "exec")
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, names)
        if block["printed"] is not None:
            assert printed.getvalue() == block["printed"], f"{page_name(page)}:{line}"


@pages_with(re.compile(r"<!-- quick output: "))
def test_quick_outputs_are_those_of_now(page, folder):
    for output in refresh_outputs.outputs(page.read_text(encoding="utf-8")):
        if output.quick:
            assert output.body == quick_output(output, folder)


def quick_output(output: Any, folder: Path) -> str:
    """As `refresh_outputs.run`, but without a new process for every `larix`."""
    from larix.cli import main

    words = shlex.split(output.command)
    if words[0] != "larix":
        return refresh_outputs.run(output, folder)
    printed = CliRunner().invoke(main, words[1:], prog_name="larix").output
    return refresh_outputs.as_shown(output, printed, folder)


@pages_with(re.compile(r"\]\([^)]+\)"))
def test_links_lead_to_files_and_headings(page):
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{page_name(page)}: {target}"
        assert not anchor or anchor in headings(file), f"{page_name(page)}: {target}"


def headings(page: Path) -> set[str]:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    plain = (re.sub(r"[^\w\s-]", "", title).strip().lower() for title in re.findall(r"^#+ (.+)$", text, re.M))
    return {re.sub(r"[\s-]+", "-", title) for title in plain}


@pages_with(re.compile(r"^::: ", re.MULTILINE))
def test_names_of_the_reference_exist_and_are_described(page):
    for name in re.findall(r"^::: (\S+)$", page.read_text(encoding="utf-8"), re.MULTILINE):
        described = pkgutil.resolve_name(":".join(name.rsplit(".", 1)))
        assert described.__doc__, name


def test_every_public_name_is_in_the_reference_once():
    import larix

    text = "".join(page.read_text(encoding="utf-8") for page in (DOCS / "reference").glob("*.md"))
    entries = re.findall(r"^::: (\S+)$", text, re.MULTILINE)
    assert len(set(entries)) == len(entries)
    missing = set(larix.__all__) - {name.rsplit(".", 1)[1] for name in entries} - {"__version__"}
    assert not missing, "write `::: larix.module.Name` for each into a page of docs/reference"


def test_every_command_has_a_section():
    from larix.cli import main

    sections = headings(DOCS / "command-line.md")
    assert {f"larix-{name}" for name in main.commands} <= sections


def commands(page: Path) -> Iterator[list[str]]:
    """Words of every command on a page, but for those that are shown to fail."""
    text = page.read_text(encoding="utf-8")
    lines = [
        line.removeprefix("$ ")
        for block in CONSOLE.findall(text)
        for line, next_line in zip(block.splitlines(), [*block.splitlines()[1:], ""], strict=True)
        if line.startswith("$ ") and not re.match(r"error: no stage reads", next_line)
    ]
    spans = re.findall(r"`((?:larix|kedro|make) [^`]+)`", FENCE.sub("", text))
    for line in [*lines, *spans]:
        for command in re.split(r"&&|[;|](?=[^']*(?:'[^']*'[^']*)*$)", line):
            words = [word for word in shlex.split(command) if not re.match("[A-Z_]+=", word)]
            if words and words[0] in ("larix", "kedro", "make"):
                yield words


@pages_with(re.compile(r"^\$ (larix|kedro|make) |`(larix|kedro|make) ", re.MULTILINE))
def test_commands_exist_with_their_options(page):
    checks = {"larix": check_larix, "kedro": check_kedro, "make": check_make}
    for words in commands(page):
        checks[words[0]](words[1:])


def check_larix(words: list[str]) -> None:
    from larix.cli import main

    command: click.Command = main
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        command, words = command.commands[words[0]], words[1:]
    parse(command, words)


def parse(command: click.Command, words: list[str]) -> dict[str, Any]:
    """Option values by name; an unknown option is an error."""
    return command.make_parser(click.Context(command)).parse_args(list(words))[0]


def check_kedro(words: list[str]) -> None:
    from larix.cli.kedro_run import run
    from larix.pipeline_registry import register_pipelines

    if words[0] != "run":
        assert words[:2] in (["registry", "list"], ["viz", "run"], ["package"], ["airflow", "create"]), words
        return
    options, pipelines = parse(run, words[1:]), register_pipelines()
    nodes = {node.name for pipeline in pipelines.values() for node in pipeline.nodes}
    tags = {tag for pipeline in pipelines.values() for node in pipeline.nodes for tag in node.tags}
    environments = {path.name for path in (REPOSITORY / "conf").iterdir()} | MADE_ON_THE_PAGES | {"NAME"}
    for option, known in (
        ("pipelines", {*pipelines, *MADE_ON_THE_PAGES}),
        ("from_nodes", nodes),
        ("to_nodes", nodes),
        ("tags", tags),
        ("env", environments),
    ):
        assert set((options.get(option) or "").split(",")) - {""} <= known, words
    check_params(options.get("params") or "", pipelines)


def check_params(params: str, pipelines: Any) -> None:
    from larix.parameter_check import check_parameters, known_parameters

    known = known_parameters([node for pipeline in pipelines.values() for node in pipeline.nodes])
    for setting in filter(None, params.split(",")):
        path, _, value = setting.partition("=")
        nested: Any = yaml.safe_load(value)
        for key in reversed(path.split(".")):
            nested = {key: nested}
        check_parameters(nested, known)


def check_make(words: list[str]) -> None:
    makefile = REPOSITORY / "Makefile"
    if makefile.exists():
        targets = re.findall(r"^([a-z-]+):", makefile.read_text(encoding="utf-8"), re.MULTILINE)
        assert set(words) <= set(targets)


def test_the_stage_of_ones_own_runs(run_project, monkeypatch):
    from kedro.pipeline import Pipeline

    import larix.pipeline_registry as registry

    page = (DOCS / "own-stage.md").read_text(encoding="utf-8")
    registration = next(block["code"] for block in PYTHON.finditer(page) if "by_code" in block["code"])
    stage = load_script(DOCS / "examples" / "tree_by_code.py")
    register = registry.register_pipelines

    def register_with_own() -> dict[str, Pipeline]:
        pipelines = register()
        names = {"pipelines": pipelines, "tree_by_code": stage, "Pipeline": Pipeline}
        exec("if True:\n" + registration, {**names, "LINEAR_STAGES": registry.LINEAR_STAGES})
        return pipelines

    monkeypatch.setattr(registry, "register_pipelines", register_with_own)
    run_project.run(pipeline_names=["by_code"])

    from larix.xmc.label_tree import LabelTree

    tree = LabelTree.load(run_project.path("06_models/label_tree"))
    assert tree.depth == 3  # letter, category, label
    assert tree.n_clusters == 4
    assert len(list(run_project.path("06_models/classifier").glob("*/classifier/model.json"))) == 2


@pages_with(EQUATION)
def test_equations_can_be_drawn(page):
    draw = load_script(DOCS / "tools" / "equations.py").equation_svg
    for equation in EQUATION.findall(page.read_text(encoding="utf-8")):
        for line in equation.strip().splitlines():
            assert draw(line).startswith('<svg role="img"')


@pytest.mark.slow
def test_the_site_builds_and_asks_nothing_of_the_network(tmp_path):
    pytest.importorskip("mkdocs", reason="pip install -e '.[docs]'")
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)],
        cwd=REPOSITORY,
        check=True,
    )
    fetched = re.compile(r'<(?:script|img|iframe)[^>]+src="https?:|<link[^>]+href="https?:|@import')
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) > 10
    assert [page.name for page in pages if fetched.search(page.read_text(encoding="utf-8"))] == []
