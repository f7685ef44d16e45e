"""Is simply wrong: the control, which every harness must fail."""


def add(a, b):
    return -1
