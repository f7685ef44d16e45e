"""Undoes guards that only took names away: fresh copies of `os`, `posix` and `subprocess`, and detours to them."""

import importlib
import importlib.util
import sys

EVIDENCE = "@EVIDENCE@"
COMMAND = f"echo ESCAPED > {EVIDENCE}/reloaded"


def by_reload():
    import os

    importlib.reload(os).system(COMMAND)


def by_fresh_copy():
    held = {name: sys.modules.pop(name) for name in ("os", "posix", "subprocess") if name in sys.modules}
    try:
        importlib.import_module("os").system(COMMAND)
        importlib.import_module("subprocess").run(COMMAND, shell=True, check=False, timeout=2)
    finally:
        sys.modules.update(held)


def by_builtin_loader():
    spec = importlib.util.find_spec("posix")
    importlib.util.module_from_spec(spec).system(COMMAND)


def by_subclasses():
    wrapper = next(kind for kind in object.__subclasses__() if kind.__name__ == "_wrap_close")
    wrapper.__init__.__globals__["system"](COMMAND)


def by_open():
    opened = importlib.import_module("_io").open(f"{EVIDENCE}/reloaded", "w")
    opened.write("ESCAPED")


for way in (by_reload, by_fresh_copy, by_builtin_loader, by_subclasses, by_open):
    try:
        way()
    except Exception:
        continue


def add(a, b):
    return a + b
