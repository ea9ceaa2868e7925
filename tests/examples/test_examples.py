"""Each program in examples/ is an ordinary one: it prints the same on asyncio and on miniloop."""

import ast
import re
import signal
import subprocess
import sys
import urllib.request
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
    assert len(EXAMPLES) >= 14


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_same_output(example: Path) -> None:
    script = str(example.relative_to(ROOT))
    on_asyncio = output(script)
    assert len(on_asyncio.splitlines()) >= 3
    assert output("-m", "miniloop", "run", script) == on_asyncio


@pytest.mark.parametrize("name", ["chat_room", "crawler", "echo", "http_server"])
def test_those_with_sockets_have_the_same_schedule(name: str) -> None:
    shown = output("-m", "miniloop", "compare", f"examples/{name}.py")
    assert shown.startswith("asyncio and miniloop agree: ")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_states_its_claim(example: Path) -> None:
    tree = ast.parse(example.read_text(encoding="utf-8"))
    claim = (ast.get_docstring(tree) or "").splitlines()[0]
    assert claim.endswith(".")
    assert "miniloop" not in {
        name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    }


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to send there")
@pytest.mark.parametrize("kind", ["asyncio", "miniloop"])
def test_the_http_server_serves_until_ctrl_c(kind: str) -> None:
    script = ["examples/http_server.py", "--serve", "0"]
    command = {
        "asyncio": [sys.executable, *script],
        "miniloop": [sys.executable, "-m", "miniloop", "run", *script],
    }[kind]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        preexec_fn=listen_to_ctrl_c,
    ) as server:
        assert server.stdout is not None
        try:
            (address,) = re.findall(r"http://\S+", server.stdout.readline())
            direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            for count, name in enumerate(["stranger", "Ann"], start=1):
                query = "" if name == "stranger" else f"?name={name}"
                with direct.open(address + query, timeout=10) as answer:
                    page = answer.read().decode()
                assert f"Hello, {name}!" in page
                assert f"served {count} times" in page
            server.send_signal(signal.SIGINT)
            ended = server.communicate(timeout=10)
        finally:
            server.kill()
    assert (*ended, server.returncode) == ("The server has ended.\n", "", 0)


def listen_to_ctrl_c() -> None:
    """Undo what a shell does to a job in the background: SIGINT ignored, and so by its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
