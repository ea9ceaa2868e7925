"""Commits and dates of measurements stand on the evidence pages, not on those that teach."""

import re
from pathlib import Path

import pytest

from tests.reading_order import ROOT

EVIDENCE = {"at-length", "conformance", "loops", "mutation", "speed"}
OF_THEIR_TIME = {"decisions", "changelog"}


def pages() -> list[Path]:
    parts = ("ladder", "tour", "exercises")
    return [
        *sorted(ROOT.glob("docs/*.rst")),
        *[page for part in parts for page in sorted(ROOT.glob(f"docs/{part}/*.rst"))],
    ]


TEACHING = [
    path
    for path in [*pages(), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    if path.stem not in EVIDENCE | OF_THEIR_TIME
]
COMMIT = r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7}\b"
COMMIT_OR_DATE = re.compile(rf"{COMMIT}|\b20\d\d-\d\d-\d\d\b")


@pytest.mark.parametrize("page", TEACHING, ids=lambda page: str(page.relative_to(ROOT)))
def test_teaching_pages_name_no_commits_and_dates(page: Path) -> None:
    assert COMMIT_OR_DATE.findall(page.read_text(encoding="utf-8")) == []


def test_evidence_pages_exist_and_name_them() -> None:
    for name in EVIDENCE:
        assert (ROOT / "docs" / f"{name}.rst").exists()
    assert COMMIT_OR_DATE.search((ROOT / "docs" / "at-length.rst").read_text(encoding="utf-8"))
