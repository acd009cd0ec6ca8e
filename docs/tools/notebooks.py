"""Run notebooks and put into them what their cells print and show.

    python docs/tools/notebooks.py                            every notebook
    python docs/tools/notebooks.py notebooks/label_tree.ipynb

Cells are plain Python and need no Jupyter here. Text and figures are kept; pictures are those of matplotlib.
"""

import ast
import base64
import contextlib
import io
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "notebooks"


def run(notebook: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """Outputs of the code cells, one list for each, from first to last in one namespace."""
    names: dict[str, Any] = {"__name__": "__main__"}
    return [_run_cell("".join(cell["source"]), names) for cell in _code_cells(notebook)]


def with_outputs(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook as it is after a run."""
    for number, (cell, outputs) in enumerate(zip(_code_cells(notebook), run(notebook), strict=True), start=1):
        cell["execution_count"], cell["outputs"] = number, outputs
        for output in outputs:
            if output["output_type"] == "execute_result":
                output["execution_count"] = number
    return notebook


def printed(outputs: Iterable[dict[str, Any]]) -> str:
    """The text among outputs."""
    return "".join("".join(output.get("text", ())) for output in outputs)


def _code_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def _run_cell(source: str, names: dict[str, Any]) -> list[dict[str, Any]]:
    tree, last = ast.parse(source), None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = ast.Expression(tree.body.pop().value)  # type: ignore[attr-defined]
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(tree, "<cell>", "exec"), names)
        value = None if last is None else eval(compile(last, "<cell>", "eval"), names)
    lines = said.getvalue().splitlines(keepends=True)
    outputs = [{"name": "stdout", "output_type": "stream", "text": lines}] if lines else []
    return outputs if value is None else [*outputs, _shown(value)]


def _shown(value: Any) -> dict[str, Any]:
    data: dict[str, Any] = {"text/plain": [repr(value)]}
    if type(value).__name__ == "Figure":
        picture = io.BytesIO()
        value.savefig(picture, format="png", dpi=80, metadata={"Software": None})
        data = {"image/png": base64.b64encode(picture.getvalue()).decode(), "text/plain": ["a figure"]}
    return {"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": None}


def main() -> None:
    """Run the notebooks that are named, or all, in their folder."""
    files = [Path(name).resolve() for name in sys.argv[1:]] or sorted(FOLDER.glob("*.ipynb"))
    os.chdir(FOLDER)
    for file in files:
        try:
            notebook = with_outputs(json.loads(file.read_text(encoding="utf-8")))
        except ModuleNotFoundError as error:
            print(f"{file.name} stays as it was: {error}")
            continue
        content = json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"
        file.write_text(content, encoding="utf-8")
        print(f"{file.name}: {len(content) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
