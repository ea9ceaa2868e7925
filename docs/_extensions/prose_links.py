"""Link the names of asyncio and of miniloop that stand in prose as code.

```asyncio.run()``` becomes a link to Python's documentation, and ```miniloop.run()``` one to the
reference, if there is an entry. Otherwise it stays code. No other code becomes a link.
"""

import re
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform
from sphinx.util.typing import ExtensionMetadata

NAME = re.compile(r"((?:asyncio|miniloop)\.[A-Za-z][\w.]*)(?:\(\))?")
IN_PROSE = "in_prose"


class LinkNames(SphinxTransform):
    """Make references of literals that are names of asyncio or miniloop, with nothing else."""

    default_priority = 500

    def apply(self, **options: Any) -> None:
        """Replace the literals, but those in titles and in references."""
        for literal in list(self.document.findall(nodes.literal)):
            found = NAME.fullmatch(literal.astext())
            if not found or isinstance(
                literal.parent, nodes.title | nodes.reference | pending_xref
            ):
                continue
            link = pending_xref(
                "", refdomain="py", reftype="obj", reftarget=found[1], refexplicit=True
            )
            link[IN_PROSE] = True
            literal.replace_self(link)
            link += literal


def stay_code(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, text: nodes.Element
) -> nodes.Element | None:
    """Leave a name in prose as it is if no entry is about it: not every name has one."""
    return text if node.get(IN_PROSE) else None


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect after intersphinx, which looks into Python's inventory."""
    app.add_transform(LinkNames)
    app.connect("missing-reference", stay_code, priority=900)
    return {"parallel_read_safe": True}
