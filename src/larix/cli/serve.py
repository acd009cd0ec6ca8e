"""`larix serve`: the classifier behind HTTP."""

from functools import partial
from pathlib import Path

import click

from larix.cli.errors import UserError
from larix.cli.suggest import load_classifier
from larix.last_run import find_last_run

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@click.command(short_help="Answer texts over HTTP.")
@click.argument("model", type=click.Path(path_type=Path), required=False)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: a free one.")
@click.option(
    "--workers", type=click.IntRange(min=1), default=1, show_default=True,
    help="Processes; they share the model's memory.",
)  # fmt: skip
@click.option(
    "--token-file", type=click.Path(path_type=Path), metavar="FILE",
    help="File with the token callers must send [default: LARIX_TOKEN in the environment, or none].",
)  # fmt: skip
@click.option("--max-texts", type=int, default=100, show_default=True, help="Texts of one request.")
@click.option("--max-characters", type=int, default=20_000, show_default=True, help="Of one text.")
@click.option("--max-bytes", type=int, default=1_000_000, show_default=True, help="Of one request.")
@click.option("--max-seconds", type=float, default=10.0, show_default=True, help="For one request.")
@click.option(
    "--watch", type=click.FloatRange(min=0), default=2.0, show_default=True, metavar="SECONDS",
    help="How often to look for a newer model; 0 is never.",
)  # fmt: skip
def serve(
    model: Path | None,
    host: str,
    port: int,
    workers: int,
    token_file: Path | None,
    watch: float,
    **limits: float,
) -> None:
    """Answer texts over HTTP with the classifier in MODEL, by default that of the last run.

    A newer model takes its place without a lost request: after `kedro run`, on SIGHUP, or by POST /reload.
    SIGTERM and Ctrl-C end it after the requests that have arrived.

    \b
    Examples:
      larix serve
      larix serve data/06_models/classifier --port=9000 --workers=4
      larix serve --host=0.0.0.0 --token-file=/run/secrets/larix
    """
    try:
        from larix.serving.http.bearer_token import read_token
        from larix.serving.http.limits import Limits
        from larix.serving.http.server import serve as serve_http
        from larix.serving.http.service import ServiceSettings
    except ModuleNotFoundError as error:
        raise UserError(f"larix serve needs {error.name}; run: pip install 'larix[serve]'") from None

    settings = ServiceSettings(
        limits=Limits(**limits),  # type: ignore[arg-type]
        token=read_token(token_file),
        watch_seconds=watch,
        n_workers=workers,
    )
    load_classifier(model)  # what is wrong with it is told before anything listens
    if settings.token is None and host not in _LOOPBACK:
        click.echo(f"warning: anyone who reaches {host} may ask; set LARIX_TOKEN or --token-file", err=True)
    serve_http(partial(locate_model, model, Path.cwd()), settings, host=host, port=port)


def locate_model(model: Path | None, start: Path) -> Path:
    """The newest classifier in a folder, or that of the last run of the project around `start`."""
    from larix.serving.suggester import find_model_folder

    return find_model_folder(start / model) if model else find_last_run(start=start).path("classifier")
