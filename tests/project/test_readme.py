"""README's commands and paths are real, and there is one version."""

import importlib.metadata
import importlib.util
import re
import shlex
import subprocess
import sys
import tomllib

import pytest

import miniloop
from tests.conftest import ECOSYSTEM
from tests.reading_order import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^```console\n(.*?)\n```$", README, re.DOTALL | re.MULTILINE)
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_there_are_two_commands_one_line_each() -> None:
    main_job, test_command = COMMANDS
    assert main_job.startswith("python3 -m miniloop compare examples/")
    assert test_command.endswith("-m pytest -n auto")
    assert "\n" not in main_job + test_command


def test_the_main_job_runs_with_nothing_installed() -> None:
    _, *arguments = shlex.split(COMMANDS[0])
    without_packages = [sys.executable, "-S", *arguments]
    done = subprocess.run(without_packages, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


def test_the_test_command_installs_an_extra_that_exists() -> None:
    (extra,) = re.findall(r"-e '\.\[(\w+)\]'", COMMANDS[1])
    assert extra in PYPROJECT["project"]["optional-dependencies"]


@pytest.mark.parametrize("module", sorted(set(re.findall(r"python3? -m ([\w.]+)", README))))
def test_modules_named_exist(module: str) -> None:
    if module not in {"venv", "sphinx"}:  # the first may be missing here, the second is an extra
        assert importlib.util.find_spec(module)


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:\.ci|docs|miniloop)/[^` ]*)`", README)))
)
def test_paths_named_exist(path: str) -> None:
    assert path.startswith("docs/_build/") or (ROOT / path).exists()


def test_the_command_line_and_the_package_say_the_same_version() -> None:
    command = [sys.executable, "-m", "miniloop", "--version"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert miniloop.__version__ in done.stdout.split()


def test_the_installed_version_is_the_packages_own() -> None:
    try:
        installed = importlib.metadata.version("miniloop")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("miniloop is not installed here, only imported from the checkout")
    assert installed == miniloop.__version__


def test_the_package_needs_nothing_at_run_time() -> None:
    assert PYPROJECT["project"]["dependencies"] == []


def test_the_same_pythons_are_supported_declared_and_tested() -> None:
    project = PYPROJECT["project"]
    declared = re.findall(r"Python :: 3\.(\d+)", "\n".join(project["classifiers"]))
    (tested,) = re.findall(r'MINORS="([\d ]+)"', (ROOT / ".ci/run").read_text(encoding="utf-8"))
    assert tested.split() == declared
    assert project["requires-python"] == f">=3.{declared[0]}"
    assert f"CPython 3.{declared[0]} to 3.{declared[-1]}" in README
    assert str(sys.version_info[1]) in declared


def test_ci_installs_extras_that_exist() -> None:
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    lists = re.findall(r"(?:extras=|\"tests-\$release\" )([a-z][\w,]*)", script)
    installed = {extra for names in lists for extra in names.split(",")}
    assert installed == {"ecosystem", "bench", "loops", "player"}
    assert installed <= set(PYPROJECT["project"]["optional-dependencies"])


def test_the_libraries_of_the_ecosystem_are_those_of_its_extra() -> None:
    distributions = {name.replace("_", "-").removesuffix("-core") for name in ECOSYSTEM}
    extra = PYPROJECT["project"]["optional-dependencies"]["ecosystem"]
    assert {re.split(r"[>=]", need)[0].removesuffix("-core") for need in extra} == distributions
