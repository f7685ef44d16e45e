"""Returns and raises values that run code in whoever unpickles, copies or reduces them."""

EVIDENCE = "@EVIDENCE@"
CODE = f"open({EVIDENCE + '/unpickled'!r}, 'w').write('ESCAPED')"


class Loaded(Exception):
    def __reduce__(self):
        return exec, (CODE,)

    def __reduce_ex__(self, protocol):
        return exec, (CODE,)

    def __deepcopy__(self, known):
        return Loaded()

    def __getstate__(self):
        return {"code": CODE}


def add(a, b):
    if a == 2:
        raise Loaded("x")
    return [Loaded("x")] if a == -1 else Loaded("x")
