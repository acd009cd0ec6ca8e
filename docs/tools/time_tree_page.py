"""How long the page of a label tree takes to load, to search and to show a label, in a real browser.

    larix tree export tree.html
    python docs/tools/time_tree_page.py tree.html "fracture" "left wrist" "z"

Times are of the page's own clock: from the start of loading until it can be used, from a letter typed until
the results are laid out, from a click until the label is. The median of five is told.
"""

import argparse
import statistics
from pathlib import Path

from browser import Browser

_LAID_OUT = "document.body.offsetHeight"
_SEARCH = """(() => {{
  const field = document.getElementById("query"), begin = performance.now();
  field.value = {query!r}; field.dispatchEvent(new Event("input")); {laid_out};
  return [performance.now() - begin, document.getElementById("count").textContent];
}})()"""
_SHOW = """new Promise((told) => {{
  const link = document.querySelectorAll("#results a")[{number}], begin = performance.now();
  addEventListener("hashchange", () => {{ {laid_out}; told(performance.now() - begin); }}, {{once: true}});
  link.click();
}})"""


def main() -> None:
    """Open the page, search, and look at labels."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("queries", nargs="+")
    asked = parser.parse_args()
    loading = []
    for _ in range(5):
        with Browser() as browser:
            browser.open(asked.page.resolve().as_uri())
            browser.wait_for("document.documentElement.dataset.ready")
            loading.append(float(browser.evaluate("document.documentElement.dataset.ready")))
    print(f"{asked.page.stat().st_size / 1e6:.1f} MB, ready after {statistics.median(loading):.0f} ms")
    with Browser() as browser:
        browser.open(asked.page.resolve().as_uri())
        browser.wait_for("document.documentElement.dataset.ready")
        for query in asked.queries:
            found = [browser.evaluate(_SEARCH.format(query=query, laid_out=_LAID_OUT)) for _ in range(5)]
            told = f"{found[0][0]:.0f} ms, then {statistics.median(time for time, _ in found):.0f} ms"
            shown = [browser.evaluate(_SHOW.format(number=n, laid_out=_LAID_OUT)) for n in range(5)]
            print(
                f"{query!r}: {found[0][1]} in {told}; one of them shown in {statistics.median(shown):.0f} ms"
            )


if __name__ == "__main__":
    main()
