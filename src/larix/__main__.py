"""`python -m larix`: run the packaged project, with the options of `kedro run`."""

import os
import sys
from pathlib import Path

from kedro.framework.cli.utils import find_run_command
from kedro.framework.project import configure_project


def main(*arguments: str) -> None:
    """Run the pipelines of this package, without Kedro's messages to its makers."""
    os.environ.setdefault("KEDRO_DISABLE_TELEMETRY", "1")
    package = Path(__file__).parent.name
    configure_project(package)
    find_run_command(package)(list(arguments) or sys.argv[1:])


if __name__ == "__main__":
    main()
