"""Each program in examples/ is an ordinary one: it prints the same on asyncio and on miniloop."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def output(*command: str) -> str:
    """What a child process prints; it must say nothing on stderr and end with status 0."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=10,
        check=False,
    )
    assert (done.stderr, done.returncode) == ("", 0)
    return done.stdout


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 9


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_same_output(example: Path) -> None:
    script = str(example.relative_to(ROOT))
    on_asyncio = output(script)
    assert len(on_asyncio.splitlines()) >= 3
    assert output("-m", "miniloop", "run", script) == on_asyncio


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_states_its_claim(example: Path) -> None:
    tree = ast.parse(example.read_text(encoding="utf-8"))
    claim = (ast.get_docstring(tree) or "").splitlines()[0]
    assert claim.endswith(".")
    assert "miniloop" not in {
        name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    }
