"""Small corrections of the pages that are made from docstrings."""

import re
from typing import Any

# A parameter that its name and type describe well enough has no text after the dash.
_BARE_DASH = re.compile(r"\s+–\s+<div class=\"doc-md-description\">\s*</div>")


def on_page_content(html: str, **_: Any) -> str:
    """Take away dashes that nothing follows; MkDocs calls this for every page."""
    return _BARE_DASH.sub("", html)
