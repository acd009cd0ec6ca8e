"""How much work the page of a label tree is for a browser: to load, to search, and to show a label.

    larix tree export tree.html
    python docs/tools/time_tree_page.py tree.html fracture "left wrist" e

Times are processor times of the page's main thread, which other work on the machine hardly changes. Searches
and labels are asked for once, as a reader would.
"""

import argparse
from pathlib import Path

from browser import Browser

_SEARCH = """(() => {{
  const field = document.getElementById("query");
  field.value = {query!r}; field.dispatchEvent(new Event("input"));
  return document.body.offsetHeight && document.getElementById("count").textContent;
}})()"""
_SHOW = """new Promise((told) => {
  addEventListener("hashchange", () => told(document.body.offsetHeight), {once: true});
  document.querySelector("#results a").click();
})"""


def main() -> None:
    """Open the page, search, and look at labels."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("queries", nargs="+")
    asked = parser.parse_args()
    with Browser() as browser:
        begin = browser.main_thread_seconds()
        browser.open(asked.page.resolve().as_uri())
        browser.wait_for("document.documentElement.dataset.ready")
        loaded = browser.main_thread_seconds() - begin
        print(f"{asked.page.stat().st_size / 1e6:.1f} MB, loaded in {1000 * loaded:.0f} ms")
        for query in asked.queries:
            begin = browser.main_thread_seconds()
            found = browser.evaluate(_SEARCH.format(query=query))
            searched = browser.main_thread_seconds()
            browser.evaluate(_SHOW)
            shown = browser.main_thread_seconds() - searched
            print(f"{query!r}: {found} in {1000 * (searched - begin):.0f} ms, ", end="")
            print(f"the first one shown in {1000 * shown:.0f} ms")


if __name__ == "__main__":
    main()
