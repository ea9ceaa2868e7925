"""Settings of the Sphinx site. Build it with: python -m sphinx -W docs docs/_build."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_extensions")]

import miniloop  # noqa: E402 - the checkout beside this file, installed or not

project = "miniloop"
author = "the miniloop authors"
copyright = "2026, the miniloop authors"
version = release = miniloop.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.intersphinx",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
    "source_links",
    "miniloop_pages",
    "api_pages",
    "names_page",
    "prose_links",
    "ladder",
    "example_pages",
    "rule_pages",
    "tour",
    "accessible",
]
exclude_patterns = ["_build", "changes", "generated"]
default_role = "code"  # a name between single backticks is code, as in docstrings

nitpicky = True  # a reference that leads nowhere fails the build
nitpick_ignore = [
    *(("py:class", name) for name in "TFP"),  # in signatures these stand for any type
    # The tester's own classes: no page describes them, assert_same_schedule() accepts them.
    ("py:class", "miniloop.difftest.loops.LoopKind"),
    ("py:class", "miniloop.difftest.programs.Program"),
    ("py:class", "miniloop.difftest.sides.Side"),
]
# Written by `python -m tests.python_inventory`, so that a build needs no network.
intersphinx_mapping = {"python": ("https://docs.python.org/3.15/", "generated/python.inv")}

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
maximum_signature_line_length = 80
toc_object_entries_show_parents = "hide"

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_title = f"miniloop {release}"
html_copy_source = False
html_show_sourcelink = False
