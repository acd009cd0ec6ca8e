"""`larix tree`: look at a classifier's label tree, and give it to other programs."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from larix.cli.suggest import MODEL_OPTION, load_classifier

if TYPE_CHECKING:
    from rich.tree import Tree

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
      larix tree export tree.json
    """


@tree.command()
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

    classifier = load_classifier(model)
    document = tree_to_json(classifier.model.tree_, tree_names(classifier, keywords))
    Console(highlight=False, soft_wrap=True).print(_branch(document["tree"], depth))


@tree.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@MODEL_OPTION
@click.option("--no-labels", is_flag=True, help="Leave out labels: clusters and nodes alone.")
@KEYWORDS_OPTION
def export(file: Path, model: Path | None, no_labels: bool, keywords: int) -> None:
    """Write the tree to FILE: *.json, or *.graphml for networkx, Gephi, yEd and others.

    A JSON file, also one changed by hand, becomes a tree again with larix.xmc.tree_export.tree_from_json.

    \b
    Examples:
      larix tree export tree.json
      larix tree export --no-labels --keywords=5 clusters.graphml
    """
    from larix.atomic_file import write_atomically
    from larix.serving.tree_names import tree_names
    from larix.xmc.tree_export import tree_to_graphml, tree_to_json

    if file.suffix not in (".json", ".graphml"):
        raise click.BadParameter(f"{file.name} must end in .json or .graphml", param_hint="FILE")
    classifier = load_classifier(model)
    label_tree, names = classifier.model.tree_, tree_names(classifier, keywords)
    if file.suffix == ".json":
        document = tree_to_json(label_tree, names, labels=not no_labels)
        content = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
    else:
        content = tree_to_graphml(label_tree, names, labels=not no_labels)
    write_atomically(file, content.encode("utf-8"))
    click.echo(f"{file}: {label_tree.n_clusters:,} clusters, {label_tree.n_slots:,} labels")


def _branch(node: dict[str, Any], depth: int) -> "Tree":
    from rich.markup import escape
    from rich.tree import Tree

    words = f": {', '.join(node['keywords'])}" if node.get("keywords") else ""
    branch = Tree(f"{node['size']:,} labels{escape(words)}")
    for child in node.get("children", ()) if depth else ():
        branch.children.append(_branch(child, depth - 1))
    labels = node.get("labels", ()) if depth else ()
    for label in labels[:_MOST_LABELS]:
        branch.add(f"[bold]{escape(label['id'])}[/] {escape(label['name'])}")
    if len(labels) > _MOST_LABELS:
        branch.add(f"and {len(labels) - _MOST_LABELS:,} more")
    return branch
