"""`larix tree`: look at a classifier's label tree, and give it to other programs."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from larix.cli.errors import UserError
from larix.cli.suggest import MODEL_OPTION, load_classifier

if TYPE_CHECKING:
    from rich.tree import Tree

    from larix.serving.suggester import Suggester

_MOST_LABELS = 5

KEYWORDS_OPTION = click.option(
    "--keywords",
    type=click.IntRange(min=0),
    default=3,
    show_default=True,
    help="Words for each node, from the names of the labels below it.",
)


@click.group()
def tree() -> None:
    """Look at the label tree, or export it.

    \b
    Examples:
      larix tree show --depth=3
      larix tree export tree.html
    """


@tree.command(short_help="Print the upper levels of the tree.")
@MODEL_OPTION
@click.option("--depth", type=click.IntRange(min=1), default=2, show_default=True, help="Levels to show.")
@KEYWORDS_OPTION
def show(model: Path | None, depth: int, keywords: int) -> None:
    """Print the upper levels of the tree; the last one lists some labels of each cluster.

    \b
    Examples:
      larix tree show
      larix tree show --model=data/06_models/classifier --depth=4
    """
    from rich.console import Console

    from larix.serving.tree_names import tree_names
    from larix.xmc.tree_export import tree_to_json

    classifier = _load_suggester(model)
    document = tree_to_json(classifier.model.tree_, tree_names(classifier, keywords))
    Console(highlight=False, soft_wrap=True).print(_branch(document["tree"], depth))


@tree.command(short_help="Write a page, JSON or GraphML.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@MODEL_OPTION
@click.option("--no-labels", is_flag=True, help="Leave out labels: clusters and nodes alone.")
@KEYWORDS_OPTION
def export(file: Path, model: Path | None, no_labels: bool, keywords: int) -> None:
    """Write the tree to FILE: *.html to search and browse it, *.json, or *.graphml for networkx, Gephi, yEd.

    The HTML page needs no network. A JSON file, also one changed by hand, becomes a tree again with
    larix.xmc.tree_export.tree_from_json.

    \b
    Examples:
      larix tree export tree.html
      larix tree export tree.json
      larix tree export --no-labels --keywords=5 clusters.graphml
    """
    from larix.atomic_file import write_atomically

    if file.suffix not in _WRITERS:
        *others, last = _WRITERS
        raise click.BadParameter(f"{file.name} must end in {', '.join(others)} or {last}", param_hint="FILE")
    if file.suffix == ".html" and no_labels:
        raise click.BadParameter("a page is for labels; write *.json or *.graphml", param_hint="--no-labels")
    classifier = _load_suggester(model)
    write_atomically(file, _WRITERS[file.suffix](classifier, keywords, not no_labels).encode("utf-8"))
    label_tree = classifier.model.tree_
    click.echo(f"{file}: {label_tree.n_clusters:,} clusters, {label_tree.n_labels_with_slots:,} labels")


def _load_suggester(model: Path | None) -> "Suggester":
    """A classifier with a tree of its own."""
    from larix.serving.suggester import Suggester

    classifier = load_classifier(model)
    if not isinstance(classifier, Suggester):
        raise UserError(
            f"{model} has a tree for each of its members; name one of them: --model={model}/member_0"
        )
    return classifier


def _as_page(classifier: "Suggester", keywords: int, _labels: bool) -> str:
    from larix.reporting import render_tree_page
    from larix.serving.tree_view import view_tree

    title = classifier.card.corpus.get("name", "an unnamed corpus")
    return render_tree_page(view_tree(classifier, n_keywords=keywords), title)


def _as_json(classifier: "Suggester", keywords: int, labels: bool) -> str:
    from larix.serving.tree_names import tree_names
    from larix.xmc.tree_export import tree_to_json

    document = tree_to_json(classifier.model.tree_, tree_names(classifier, keywords), labels=labels)
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _as_graphml(classifier: "Suggester", keywords: int, labels: bool) -> str:
    from larix.serving.tree_names import tree_names
    from larix.xmc.tree_export import tree_to_graphml

    return tree_to_graphml(classifier.model.tree_, tree_names(classifier, keywords), labels=labels)


_WRITERS = {".html": _as_page, ".json": _as_json, ".graphml": _as_graphml}


def _branch(node: dict[str, Any], depth: int) -> "Tree":
    from rich.markup import escape
    from rich.tree import Tree

    words = f": {', '.join(node['keywords'])}" if node.get("keywords") else ""
    branch = Tree(f"{node['size']:,} labels{escape(words)}")
    for child in node.get("children", ()) if depth else ():
        branch.children.append(_branch(child, depth - 1))
    labels = node.get("labels", ()) if depth else ()
    for label in labels[:_MOST_LABELS]:
        name = "" if label["name"] == label["id"] else f" {escape(label['name'])}"
        branch.add(f"[bold]{escape(label['id'])}[/]{name}")
    if len(labels) > _MOST_LABELS:
        branch.add(f"and {len(labels) - _MOST_LABELS:,} more")
    return branch
