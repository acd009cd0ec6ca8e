"""`larix import-pecos` and `larix export-pecos`: models from and to libpecos."""

from pathlib import Path

import click

from larix.cli.errors import UserError

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("import-pecos", short_help="Read a model of libpecos.")
@click.argument("folder", type=_FOLDER)
@click.argument("model", type=_FOLDER)
def import_pecos(folder: Path, model: Path) -> None:
    """Read the XR-Linear model that libpecos saved in FOLDER and write it to MODEL.

    It predicts what libpecos predicts. As libpecos keeps no words or names, `larix.load(MODEL)` takes
    feature rows and gives label numbers.

    \b
    Example:
      larix import-pecos pecos-model/ my-model/
    """
    from larix.interchange import import_pecos

    imported = import_pecos(folder)
    imported.save(model)
    tree = imported.tree_
    click.echo(
        f"{model}: {tree.depth} levels, {tree.n_clusters:,} clusters, {tree.n_labels:,} labels, "
        f"{imported.n_features_in_:,} features"
    )


@click.command("export-pecos", short_help="Write a model that libpecos loads.")
@click.argument("model", type=_FOLDER)
@click.argument("folder", type=_FOLDER)
def export_pecos(model: Path, folder: Path) -> None:
    """Write the XR-Linear model in MODEL to FOLDER, in the form that libpecos loads.

    MODEL is a classifier of a run, or what XRLinear.save wrote. Words and names stay behind: libpecos takes
    feature rows and gives label numbers. A label's further clusters become pseudo labels.

    \b
    Example:
      larix export-pecos data/06_models/classifier/VERSION/classifier pecos-model/
    """
    from larix.interchange import export_pecos
    from larix.serving.suggester import Suggester, load
    from larix.xmc.ensemble import Ensemble
    from larix.xmc.xr_linear import XRLinear

    loaded = load(model)
    linear = loaded.model if isinstance(loaded, Suggester) else loaded
    if not isinstance(linear, XRLinear):
        hint = "; name one of its trees, a folder model_N in it" if isinstance(linear, Ensemble) else ""
        raise UserError(
            f"{model}: only an XR-Linear model can be exported, but this is {type(linear).__name__}{hint}"
        )
    export_pecos(linear, folder)
    click.echo(f"{folder}: {linear.tree_.depth} levels, {linear.tree_.n_labels:,} labels")
