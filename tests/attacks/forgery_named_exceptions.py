"""Raises exceptions that are named after those that the harness and the test framework trust."""

NAMES = [
    "AssertionError",
    "SkipTest",
    "_ShouldStop",
    "TestTimeout",
    "GuestLost",
    "WireError",
    "SystemExit",
    "NameError",
]
raised = 0


def hostile_class(name):
    def text(self):
        raise SystemExit(0)

    members = {"__str__": text, "__repr__": text, "outcome": "pass", "detail": "", "args": property(lambda _: 1 / 0)}
    return type(name, (BaseException,), members)


def add(a, b):
    global raised
    raised += 1
    if a == 5:
        raise type("__site__", (ExceptionGroup,), {})("pass", [ValueError(12)])
    raise hostile_class(NAMES[raised % len(NAMES)])
