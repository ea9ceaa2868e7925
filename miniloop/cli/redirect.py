"""Turn `import asyncio` in a script, and in the modules beside it, into an import of the stand-in.

The import statements are changed in the syntax tree, before the code is compiled. So none of our
code runs when the script imports: no frame of ours stands in its tracebacks, and the imports of
libraries and of the standard library stay as they are. So do lines and columns.

This sees all forms of the statement, wherever it stands, and `import_module("asyncio...")` with the
name written out. A name that is made at run time and text that is passed to `exec` get the real
asyncio. So does a new interpreter, unless multiprocessing starts it (`children`).
"""

import ast
import os
import runpy
import sys
import sysconfig
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import miniloop
from miniloop.cli import stand_in


def compile_redirected(source: bytes, path: str) -> CodeType:
    """Compile a file's source as `compile` does, but with the stand-in in the place of asyncio."""
    if b"asyncio" not in source:
        return compile(source, path, "exec", dont_inherit=True)
    tree = compile(source, path, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    assert isinstance(tree, ast.Module)
    for node in ast.walk(tree):
        _redirect(node)
    return compile(tree, path, "exec", dont_inherit=True)


def _redirect(node: ast.AST) -> None:
    match node:
        case ast.Import(names=names):
            node.names = [new for old in names for new in _redirect_alias(old)]
        case ast.ImportFrom(module=str(name), level=0) if _is_asyncio(name):
            node.module = _redirect_name(name)
        case ast.Call(
            func=ast.Attribute(attr="import_module") | ast.Name(id="import_module"),
            args=[ast.Constant(value=str(name)) as argument, *_],
        ) if _is_asyncio(name):
            argument.value = _redirect_name(name)


def _redirect_alias(old: ast.alias) -> list[ast.alias]:
    if not _is_asyncio(old.name):
        return [old]
    # `import asyncio.tasks` binds the name asyncio. So import the submodule, then bind the package.
    wanted = [old.name] if old.asname or old.name == "asyncio" else [old.name, "asyncio"]
    bound = old.asname or "asyncio"
    return [
        ast.copy_location(ast.alias(name=_redirect_name(name), asname=bound), old)
        for name in wanted
    ]


def _is_asyncio(name: str) -> bool:
    return name == "asyncio" or name.startswith("asyncio.")


def _redirect_name(name: str) -> str:
    return stand_in.NAME + name.removeprefix("asyncio")


class Beside:
    """The files in a folder and below it, except installed libraries and miniloop itself."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        installed = {sysconfig.get_path(key) for key in ("stdlib", "platstdlib")}
        self._others = [Path(path).resolve() for path in installed]
        self._others += [Path(path).resolve() for path in miniloop.__path__]

    def __contains__(self, file: str) -> bool:
        path = Path(file).resolve()
        if file.startswith("<") or not path.is_relative_to(self.folder):
            return False
        inner = path.relative_to(self.folder).parts
        return not (
            "site-packages" in inner
            or "dist-packages" in inner
            or any(path.is_relative_to(other) for other in self._others)
        )


class RedirectedLoader(SourceFileLoader):
    """Loads a module from code that was compiled when it was found."""

    def __init__(self, fullname: str, path: str, code: CodeType) -> None:
        super().__init__(fullname, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType:
        """Return the redirected code, and use no bytecode cache."""
        return self._code


class BesideFinder(MetaPathFinder):
    """Finds what `PathFinder` finds, and redirects the modules beside the script."""

    def __init__(self, beside: Beside) -> None:
        self._beside = beside

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Find a module. If it cannot be compiled, Python's own loader reports that."""
        spec = PathFinder.find_spec(fullname, path, target)
        if (
            spec is not None
            and spec.origin is not None
            and isinstance(spec.loader, SourceFileLoader)
            and spec.origin in self._beside
        ):
            try:
                code = compile_redirected(spec.loader.get_data(spec.origin), spec.origin)
            except (OSError, SyntaxError, ValueError):
                return spec
            spec.loader = RedirectedLoader(fullname, spec.origin, code)
        return spec


def install(beside: Beside) -> None:
    """Redirect modules that are imported from now on, and files that `runpy.run_path` runs."""
    stand_in.install()
    sys.meta_path.insert(sys.meta_path.index(PathFinder), BesideFinder(beside))

    def compile_file(source: bytes, path: Any, mode: str, **options: Any) -> CodeType:
        if os.fsdecode(path) in beside:
            return compile_redirected(source, path)
        code: CodeType = compile(source, path, mode, **options)
        return code

    vars(runpy)["compile"] = compile_file  # runpy's functions use it instead of the built-in one
