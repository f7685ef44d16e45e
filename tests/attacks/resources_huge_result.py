"""Returns what is too large or too deep to be sent: long lists, long texts, deep nests, cycles, huge numbers."""


def deep():
    inner = []
    for _ in range(100_000):
        inner = [inner]
    return inner


def cycle():
    ring = {}
    ring["self"] = [ring]
    return ring


def add(a, b):
    match a:
        case 2:
            return list(range(20_000_000))
        case -1:
            return deep()
        case 100:
            return cycle()
        case 0:
            return 1 << (1 << 28)
    return "\U0001f600" * 50_000_000
