"""Changes the interpreter's state for good, hoping that the next run is not a fresh copy of the one before."""

import builtins
import os
import sys

already = hasattr(builtins, "left_by_an_attack") or "left_by_an_attack" in sys.modules or "LEFT" in os.environ
builtins.left_by_an_attack = True
sys.modules["left_by_an_attack"] = sys
os.environ["LEFT"] = "x"
os.environ["PYTHONPATH"] = os.getcwd()
os.environ["LD_PRELOAD"] = f"{os.getcwd()}/attack.so"
sys.path.insert(0, os.getcwd())
sys.argv[:] = ["poisoned"]
sys.orig_argv[:] = ["poisoned"]
sys.executable = "/bin/false"
sys.setswitchinterval(1e-6)

for name in ("json", "operator", "random", "struct"):
    with open(f"{name}.py", "w") as file:
        file.write("raise SystemExit('poisoned')\n")

for name in ("__abs__", "__add__"):
    try:
        setattr(int, name, lambda *_: 5)
    except TypeError:
        continue


def add(a, b):
    return "ESCAPED: carried over" if already else a + b
