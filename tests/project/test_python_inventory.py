"""What is chosen from the inventory of Python's documentation, and that the file is in order."""

import zlib

import pytest

from tests import python_inventory

HEAD = b"# Sphinx inventory version 2\n# Project: Python\n# Version: 3.15\n# zlib\n"
LINES = """\
asyncio py:module 0 library/asyncio.html#module-$ -
asyncio.run py:function 1 library/asyncio-runner.html#$ -
asyncio.loop.no_such_method py:method 1 library/asyncio-eventloop.html#$ -
socket.socket py:class 1 library/socket.html#$ -
zipimport.zipimporter py:class 1 library/zipimport.html#$ -
asyncio-handles std:label -1 library/asyncio-eventloop.html#$ Handles
asyncio.old py:function 1 whatsnew/3.4.html#$ -
elsewhere.name py:function 1 library/elsewhere.html#another-anchor -
"""
INVENTORY = HEAD + zlib.compress(LINES.encode())


def test_chooses_asyncio_and_what_the_package_mentions() -> None:
    assert list(python_inventory.chosen(INVENTORY)) == [
        "asyncio mod library/asyncio.html",
        "asyncio.loop.no_such_method method library/asyncio-eventloop.html",
        "asyncio.run function library/asyncio-runner.html",
        "socket.socket class library/socket.html",
    ]


def test_leaves_out_what_has_another_anchor_than_its_name() -> None:
    names = [name for name, _, _ in python_inventory.entries(INVENTORY)]
    assert "asyncio.run" in names
    assert "elsewhere.name" not in names
    assert "asyncio-handles" not in names


def test_refuses_what_is_no_inventory() -> None:
    with pytest.raises(ValueError, match="no inventory"):
        list(python_inventory.entries(b"<html>\n\n\n\n"))


def test_the_file_has_three_words_a_line() -> None:
    head, *lines = python_inventory.PATH.read_text("utf-8").splitlines()
    assert head == "# Sphinx inventory version 1"
    assert [line.partition(" ")[0] for line in lines[:2]] == ["#", "#"]
    kinds = {"mod", *python_inventory.KINDS}
    for line in lines[2:]:
        _, kind, page = line.split(" ")
        assert kind in kinds
        assert page.endswith(".html")
    assert lines[2:] == sorted(lines[2:])
