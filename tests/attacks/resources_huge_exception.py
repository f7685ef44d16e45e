"""Raises exceptions with messages of 200 MB, endless chains of causes, and classes with names of megabytes."""


class Hydra(Exception):
    def __str__(self):
        raise Hydra

    __repr__ = __str__


def chained():
    error = ValueError("first")
    for _ in range(200_000):
        following = ValueError("next")
        following.__cause__ = error
        error = following
    return error


def add(a, b):
    match a:
        case 2:
            raise ValueError("\U0001f600" * 50_000_000)
        case -1:
            raise type("N" * 20_000_000, (Exception,), {})("x")
        case 100:
            raise chained()
        case 0:
            raise Hydra
    raise ValueError(*range(500_000))
