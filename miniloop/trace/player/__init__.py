"""Makes the player: one HTML file in which a reader steps through a trace, forwards and backwards.

The page holds everything that it needs, so it opens from a file, without a server or a network.
Reading order of its scripts: `replay.js` (from a trace to the state at any step), `source.js`,
`panes.js` and `lanes.js` (draw it), `player.js` (buttons, keys, slider, links). `page.html` is the
frame and `player.css` the styles.

A trace holds text of the program: names of tasks, values, what was printed. It must never become
markup. The scripts make text nodes of it; inside the page it stands as JSON in which no `<` is
left; and the page's policy lets only these very styles and scripts run, by their hashes, and load
nothing at all.
"""

from __future__ import annotations

import base64
import hashlib
import html
import importlib.resources
import json
import string
from collections.abc import Mapping
from typing import Any

SCRIPTS = ("replay.js", "source.js", "panes.js", "lanes.js", "player.js")


def page(trace: Mapping[str, Any], other: Mapping[str, Any] | None = None) -> str:
    """Return the player of *trace* as an HTML page, or of two traces that step together.

    Traces are in the form that the docs call the trace as JSON. Raises ValueError if a number in
    one is infinite or not a number, which JSON has no word for.
    """
    styles = _file("player.css")
    scripts = [_file(name) for name in SCRIPTS]
    traces = [trace] if other is None else [trace, other]
    allowed = " ".join(map(_hash, scripts))
    policy = (
        f"default-src 'none'; script-src {allowed}; style-src {_hash(styles)}; "
        "base-uri 'none'; form-action 'none'"
    )
    data = [f'<script type="application/json">{_as_json(each)}</script>' for each in traces]
    code = [f"<script>{script}</script>" for script in scripts]
    return string.Template(_file("page.html")).substitute(
        policy=policy,
        title=html.escape(f"{trace['script']} - miniloop"),
        styles=styles,
        scripts="\n".join([*data, *code]),
    )


def _file(name: str) -> str:
    return importlib.resources.files(__name__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """The source expression of a Content-Security-Policy that allows *text* and nothing else."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _as_json(trace: Mapping[str, Any]) -> str:
    """JSON that may stand in a script element: no `<`, and nothing but ASCII.

    So it holds no `</script>` or `<!--`, no U+2028 or U+2029, and no half of a surrogate pair.
    """
    text = json.dumps(trace, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")
