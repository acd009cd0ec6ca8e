"""Why a label was suggested, as a tree for the terminal."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from larix.reporting.content import score_text

if TYPE_CHECKING:
    from rich.tree import Tree

_MOST_NAMES = 2


def render_explanation(explanation: Mapping[str, Any]) -> "Tree":
    """The reasons for one label.

    Parameters
    ----------
    explanation : mapping
        One entry of what `larix.serving.classifier.Classifier.explain` gives.

    Returns
    -------
    rich renderable
    """
    from rich.text import Text
    from rich.tree import Tree

    name, shown = explanation["name"], _score(explanation)
    title = Text.assemble((explanation["label"], "bold"), f"  {name}  " if name else "  ", (shown, "bold"))
    root = Tree(title, guide_style="dim")
    _add_reasons(root, explanation)
    return root


def _score(explanation: Mapping[str, Any]) -> str:
    score = explanation["score"]
    return "not suggested" if score is None else score_text(score)


def _add_reasons(root: "Tree", explanation: Mapping[str, Any]) -> None:
    """Those of one classifier, or of each member of an ensemble."""
    from rich.text import Text

    if members := explanation.get("members"):
        for member in members:
            told = Text.assemble((member["member"], "bold"), f"  {_score(member)}")
            _add_reasons(root.add(told), member)
        root.add(f"scores of the {len(members)} classifiers become one by {explanation['rule']}")
        return
    trees = explanation["trees"]
    if not trees[0]["paths"]:
        root.add("the tree has no place for it: no training document has this label")
    for number, tree in enumerate(trees, start=1):
        for path in tree["paths"]:
            head = f"tree {number}" if len(trees) > 1 else "tree"
            _add_path(root, path, head, several=len(tree["paths"]) > 1)
    if rule := explanation["rule"]:
        root.add(f"scores of the {len(trees)} trees become one by {rule}")
    if votes := explanation["votes"]:
        share, weight = f"{100 * votes['share']:.1f} %", f"{100 * votes['weight']:.0f} %"
        root.add(f"nearest training documents give it {share} of their votes, which count {weight}")
    if explanation["nearest"]:
        nearest = root.add("training documents of this label most like the text")
        for document in explanation["nearest"]:
            nearest.add(Text(f"{document['cosine']:.2f}  {document['document']}"))


def _add_path(root: "Tree", path: Mapping[str, Any], head: str, *, several: bool) -> None:
    factors = " x ".join(score_text(step["factor"]) for step in path["steps"])
    if several:
        head += f", slot in cluster {path['cluster']}" + (", the best" if path["wins"] else "")
    reached = "" if path["found"] else ", not reached by the search"
    branch = root.add(f"{head}{reached}: {score_text(path['score'])}" + _product(path, factors))
    for step in path["steps"]:
        branch.add(_step_text(step)).add(_features_text(step))


def _product(path: Mapping[str, Any], factors: str) -> str:
    """The factors, where they make the score; with logarithms and margins they don't."""
    product = 1.0
    for step in path["steps"]:
        product *= step["factor"]
    return f" = {factors}" if abs(product - path["score"]) <= 1e-4 * abs(product) else ""


def _step_text(step: Mapping[str, Any]) -> Any:
    from rich.text import Text

    rank = f"rank {step['rank']}" if step["rank"] else "not looked at"
    lost = "" if step["kept"] or not step["rank"] else ", left by the search"
    words = f"level {step['level'] + 1}, {rank}{lost}: margin {step['margin']:+.2f}"
    if step["n_labels"] > 1:
        words += f", {step['n_labels']:,} labels such as {_some(step['labels'])}"
    return Text(words)


def _some(names: Sequence[Any]) -> str:
    return "; ".join(str(name) for name in names[:_MOST_NAMES])


def _features_text(step: Mapping[str, Any]) -> Any:
    from rich.text import Text

    text = Text.assemble(("bias", "dim"), f" {step['bias']:+.2f}")
    for feature in step["features"]:
        amount = feature["amount"]
        style = "green" if amount > 0 else "red"
        text.append("  ").append(str(feature["feature"]), style).append(f" {amount:+.2f}")
    if (others := step["other_features"])["n"]:
        text.append("  ").append(f"{others['n']} others", "dim").append(f" {others['amount']:+.2f}")
    return text
