"""`larix ensemble`: several classifiers as one."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from larix.cli.errors import UserError
from larix.runs.ledger import find_ledger, find_run
from larix.runs.record import RunRecord

if TYPE_CHECKING:
    from larix.serving.suggester_ensemble import SuggesterEnsemble

_RULES = ("average", "rank_average", "sigmoid_average", "softmax_average", "round_robin")


@click.command(short_help="Join classifiers of the same labels into one.")
@click.argument("members", metavar="MEMBER...", nargs=-1)
@click.option(
    "--output", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER", required=True,
    help="Where the ensemble goes.",
)  # fmt: skip
@click.option(
    "--rule", type=click.Choice(_RULES), default="average", show_default=True, help="How scores become one."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with fractions instead of percent.")
def ensemble(members: tuple[str, ...], output: Path, rule: Any, as_json: bool) -> None:
    """Join classifiers of the same labels into one that suggests what they find together.

    A MEMBER is a run, called as for larix compare, or the folder of a classifier. Members may have other
    features, encoders, trees and seeds.

    If all are runs on the same test documents, a table shows each of them, and what they score together by
    each rule, from the predictions that runs keep. Which rule is best for these documents says little of
    others: choose one on documents of your own, or leave it at average.

    \b
    Examples:
      larix ensemble linear frozen_memory xr_transformer --output=all-three
      larix ensemble 2026-11-22T20.04 2026-11-22T21.31 --rule=rank_average --output=two-seeds
      larix suggest --model=all-three "hay fever"
    """
    if len(members) < 2:
        raise click.UsageError("an ensemble needs two members or more: larix ensemble linear frozen_memory")
    found = [_find(member) for member in members]
    names = _names(found)
    joined = _join(found, names, rule)
    runs = {name: member for name, member in zip(names, found, strict=True) if isinstance(member, RunRecord)}
    is_measured = len(runs) == len(found) and len({run.test_set for run in runs.values()}) == 1
    evaluations = _evaluations(list(runs.values())) if is_measured else {}
    joined.card = replace(joined.card, metrics=evaluations.get(rule, {}))
    joined.save(output)
    if as_json:
        metrics = {name: run.metrics for name, run in runs.items()} if is_measured else {}
        metrics |= {rule: evaluation["metrics"] for rule, evaluation in evaluations.items()}
        told = {"ensemble": str(output), "rule": rule, "members": names, "metrics": metrics}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    if is_measured:
        _print(runs, evaluations, rule)
    click.echo(f"{output}: {len(found)} classifiers joined by {rule}, {len(joined.label_ids):,} labels")


def _find(member: str) -> Path | RunRecord:
    is_folder = len(Path(member).parts) > 1 or Path(member).is_dir()
    return Path(member) if is_folder else find_run(find_ledger().runs(), member)


def _names(members: Sequence[Path | RunRecord]) -> list[str]:
    """What kind of model each run made, and the names of folders; with more where several are called so."""
    short = [member.model if isinstance(member, RunRecord) else member.name for member in members]
    longer = [
        f"{name} {member.short_version if isinstance(member, RunRecord) else number}"
        for number, (name, member) in enumerate(zip(short, members, strict=True), start=1)
    ]
    return [long if short.count(name) > 1 else name for name, long in zip(short, longer, strict=True)]


def _join(members: Sequence[Path | RunRecord], names: Sequence[str], rule: Any) -> "SuggesterEnsemble":
    from larix.serving.suggester import find_model_folder, load_classifier
    from larix.serving.suggester_ensemble import SuggesterEnsemble

    folders = [
        member.path("classifier") if isinstance(member, RunRecord) else find_model_folder(member)
        for member in members
    ]
    for number, folder in enumerate(folders):
        if folder.resolve() in [other.resolve() for other in folders[:number]]:
            raise UserError(f"members must differ, but {folder} is given twice; leave it out once")
    return SuggesterEnsemble([load_classifier(folder) for folder in folders], names=names, rule=rule)


def _evaluations(runs: Sequence[RunRecord]) -> Mapping[str, Mapping[str, Any]]:
    from larix.runs.joining import evaluate_together

    return evaluate_together(runs)


def _print(runs: Mapping[str, RunRecord], evaluations: Mapping[str, Mapping[str, Any]], rule: str) -> None:
    from rich.console import Console

    from larix.runs.table import render_ensemble_table

    Console(highlight=False).print(render_ensemble_table(runs, evaluations, rule))
