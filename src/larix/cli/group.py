"""The command `larix`: look at the last run, suggest labels, evaluate, and prepare a corpus."""

from typing import Any

import click

import larix
from larix.cli.compare import compare
from larix.cli.corpora import check, init
from larix.cli.ensemble import ensemble
from larix.cli.errors import as_user_error
from larix.cli.evaluate import evaluate
from larix.cli.interchange import export_pecos, import_pecos
from larix.cli.metrics import metrics
from larix.cli.runs import runs
from larix.cli.serve import serve
from larix.cli.suggest import suggest
from larix.cli.tree import tree


class LarixGroup(click.Group):
    """A group whose commands tell the user's errors in one line; LARIX_TRACEBACK=1 shows where they arose."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            # What a command is given is what larix checks, by ValueErrors and TypeErrors.
            told = as_user_error(error, also=(ValueError, TypeError))
            if told is None:
                raise
            raise told from error


@click.group(
    cls=LarixGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(larix.__version__, prog_name="larix", message="%(prog)s %(version)s")
def main() -> None:
    """Extreme multi-label classification.

    \b
    A first run, and what came of it:
      kedro run
      larix metrics
      larix suggest "sudden chest pain radiating to the left arm"

    \b
    Your own data:
      larix init --data papers.csv --text abstract --labels keywords
      kedro run --env=papers
    """


for command in (
    metrics,
    runs,
    compare,
    ensemble,
    suggest,
    serve,
    evaluate,
    check,
    init,
    tree,
    import_pecos,
    export_pecos,
):
    main.add_command(command)
