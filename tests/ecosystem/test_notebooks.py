"""miniloop.run() where a loop of asyncio is running already: in IPython and in a Jupyter kernel."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "examples" / "notebook.ipynb"

CELL = """
import asyncio, miniloop
await asyncio.sleep(0)  # IPython runs asyncio's loop for this cell

async def main():
    await miniloop.sleep(0)
    inner = miniloop.sleep(0)
    try:
        miniloop.run(inner)
    except RuntimeError as error:
        print(error)
    finally:
        inner.close()
    return type(miniloop.get_running_loop()).__module__

asyncios = asyncio.get_running_loop()
print(miniloop.run(main()))
print(asyncio.get_running_loop() is asyncios)
await asyncio.sleep(0.001)
print("asyncio's goes on")
"""


def test_in_ipython(tmp_path: Path) -> None:
    script = tmp_path / "cell.ipy"  # IPython runs it as it runs a cell
    script.write_text(CELL)
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--quick", "--colors=NoColor", str(script)],
        env=os.environ | {"PYTHONPATH": str(ROOT), "IPYTHONDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout.splitlines(), done.returncode) == (
        [
            "asyncio.run() cannot be called from a running event loop",
            "miniloop.io.event_loop",
            "True",
            "asyncio's goes on",
        ],
        0,
    ), done.stderr


def test_the_notebook_says_what_it_says_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Executed in a real kernel, each cell prints what the file shows."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    written = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    executed = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    for cell in executed.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    NotebookClient(executed, timeout=60, kernel_name="python3").execute()
    for before, after in zip(written.cells, executed.cells, strict=True):
        if before.cell_type == "code":
            assert after.outputs == before.outputs, before.source
    assert sum(bool(cell.get("outputs")) for cell in written.cells) == 5
