"""Mend what Sphinx writes and a screen reader or a keyboard cannot use.

`python -m tests.built_pages SITE` looks for such faults with axe-core. It has found three:

- The captions of the table of contents are headings without a level.
- The parameters of a signature over several lines are a list of definitions that defines nothing.
- A block that scrolls sideways cannot be reached with the keyboard: `scrolls.js` sees to these.
"""

import re
from typing import Any

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

PARAMETERS = re.compile(r'<dl>\n(<dd><em class="sig-param">.*?)</dl>', re.DOTALL)


def mend(html: str) -> str:
    """Return a part of a page without these faults."""
    html = html.replace('role="heading"', 'role="heading" aria-level="2"')
    return PARAMETERS.sub(_as_list, html)


def _as_list(found: re.Match[str]) -> str:
    items = found[1].replace("<dd>", "<li>").replace("</dd>", "</li>")
    return f'<ul class="parameters">\n{items}</ul>'


def mend_page(app: Sphinx, name: str, template: str, context: dict[str, Any], tree: object) -> None:
    """Mend the text of a page, and the table of contents that the theme has put beside it."""
    for part in ("body", "furo_navigation_tree"):
        if part in context:
            context[part] = mend(context[part])


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register it, to be called after the theme has made its part of the page (500)."""
    app.connect("html-page-context", mend_page, priority=900)
    app.add_js_file("scrolls.js", loading_method="defer")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
