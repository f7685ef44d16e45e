"""Honest programs that return objects of all kinds, and tests of them that must pass: name, program, test."""

__all__ = ["HONEST", "IMPORTS"]

IMPORTS = "collections, dataclasses, datetime, decimal, enum, fractions, functools, pathlib, types, typing"

HONEST = {
    "data class": (
        """
@dataclasses.dataclass(order=True)
class R:
    x: int
    y: list
def f(x): return R(x, [x])
""",
        """
self.assertEqual(f(1), R(1, [1]))
self.assertNotEqual(f(1), R(2, [1]))
self.assertLess(f(1), R(2, []))
self.assertIn(f(1), [R(1, [1])])
self.assertEqual([f(1)], [R(1, [1])])
self.assertEqual(f(1).y, [1])
self.assertEqual(dataclasses.asdict(f(1)), {'x': 1, 'y': [1]})
self.assertNotEqual(f(1), (1, [1]))
""",
    ),
    "frozen data class with slots": (
        """
@dataclasses.dataclass(frozen=True, slots=True)
class R:
    x: int
def f(x): return {R(x): x}
""",
        """
self.assertEqual(f(1), {R(1): 1})
self.assertEqual(f(1)[R(1)], 1)
""",
    ),
    "named tuple": (
        """
P = collections.namedtuple('P', 'x y')
def f(x): return P(x, 2)
""",
        """
self.assertEqual(f(1), (1, 2))
self.assertEqual(f(1), P(1, 2))
self.assertEqual(f(1).y, 2)
self.assertIsInstance(f(1), tuple)
self.assertTupleEqual(tuple(f(1)), (1, 2))
self.assertIn(2, f(1))
""",
    ),
    "typed named tuple with methods": (
        """
class P(typing.NamedTuple):
    x: int
    def twice(self): return self.x * 2
def f(x): return P(x)
""",
        """
self.assertEqual(f(1), (1,))
self.assertEqual(f(1).twice(), 2)
self.assertEqual(f(1)._replace(x=3).x, 3)
""",
    ),
    "enumerations": (
        """
class C(enum.Enum):
    A = 1
    @classmethod
    def _missing_(cls, value): return cls.A
class N(enum.IntEnum):
    ONE = 1
class F(enum.Flag):
    A = 1
    B = 2
class S(str, enum.Enum):
    count = 'count'
def f(x): return C.A, N.ONE, F.A | F.B, S.count
""",
        """
a, n, flags, s = f(1)
self.assertIs(a, C.A)
self.assertEqual(a, C(7))
self.assertEqual(n, 1)
self.assertLess(n, 2)
self.assertEqual(flags, F.A | F.B)
self.assertIn(F.A, flags)
self.assertEqual(s, 'count')
self.assertEqual(f(1), (C.A, 1, F(3), 'count'))
self.assertEqual(n + 1, 2)
""",
    ),
    "collections": (
        """
def f(x): return (collections.Counter('aab'), collections.OrderedDict(a=1), collections.deque([1]),
                  collections.defaultdict(int, a=1), collections.UserDict(a=1), collections.ChainMap({'a': 1}))
""",
        """
c, o, q, d, u, m = f(1)
self.assertEqual(c, {'a': 2, 'b': 1})
self.assertEqual(o, {'a': 1})
self.assertEqual(list(q), [1])
self.assertEqual(d, {'a': 1})
self.assertEqual(u, {'a': 1})
self.assertEqual(m, {'a': 1})
self.assertEqual(c - collections.Counter('a'), {'a': 1, 'b': 1})
""",
    ),
    "subclasses of collections": (
        """
class U(collections.UserDict):
    def __setitem__(self, k, v): super().__setitem__(str(k), v)
class D(dict):
    def __getattr__(self, name): return self[name]
    def __getitem__(self, k): return super().__getitem__(k)
class L(collections.UserList): pass
class C(collections.Counter): pass
def f(x): return U({1: 2}), D(a=1), L([x]), C('aa')
""",
        """
u, d, l, c = f(1)
self.assertEqual(u, {'1': 2})
self.assertEqual(d, {'a': 1})
self.assertEqual(d.a, 1)
self.assertEqual(l, [1])
self.assertEqual(l + [2], [1, 2])
self.assertEqual(c, {'a': 2})
self.assertIn('1', u)
""",
    ),
    "numbers and dates": (
        """
def f(x): return (decimal.Decimal('1.50'), fractions.Fraction(1, 2), datetime.date(2024, 1, 2), pathlib.Path('a'),
                  datetime.timedelta(1), float('inf'), 1j)
""",
        """
d, q, day, path, delta, inf, i = f(1)
self.assertEqual(d, decimal.Decimal('1.5'))
self.assertEqual(d, 1.5)
self.assertAlmostEqual(q, 0.5)
self.assertEqual(day, datetime.date(2024, 1, 2))
self.assertEqual(path, pathlib.Path('a'))
self.assertGreater(day + delta, day)
self.assertEqual(i * i, -1)
self.assertGreater(inf, 10)
""",
    ),
    "tolerant number with an attribute": (
        """
class Approx(float):
    unit = 'm'
    def __eq__(self, o): return abs(float(self) - o) < 1e-3
    __hash__ = float.__hash__
    def __repr__(self): return 'about'
def f(x): return Approx(x)
""",
        """
self.assertEqual(f(1.0), 1.0)
self.assertEqual(f(1.0).unit, 'm')
self.assertEqual(repr(f(1)), 'about')
self.assertAlmostEqual(f(1.0), 1.0)
self.assertLess(f(1.0), 2)
""",
    ),
    "exceptions": (
        """
class Bad(ValueError):
    def __init__(self, code):
        super().__init__(f'bad {code}')
        self.code = code
    def __eq__(self, o): return isinstance(o, Bad) and o.code == self.code
    __hash__ = None
def f(x):
    if x: raise Bad(x)
    return Bad(3)
""",
        """
with self.assertRaises(Bad) as caught: f(7)
self.assertEqual(caught.exception.code, 7)
self.assertEqual(str(caught.exception), 'bad 7')
self.assertEqual(f(0), Bad(3))
self.assertIsInstance(f(0), ValueError)
self.assertEqual(f(0).args, ('bad 3',))
""",
    ),
    "a class that the tests name": (
        """
class Store:
    def __init__(self, *items): self.items = list(items)
    def __contains__(self, x): return x in self.items
    def __len__(self): return len(self.items)
    def __getitem__(self, n): return self.items[n]
    def __add__(self, o): return Store(*self.items, o)
    def __radd__(self, o): return Store(o, *self.items)
    def __gt__(self, o): return len(self) > o
    def __eq__(self, o): return self.items == o.items
    def __enter__(self): return self
    def __exit__(self, *_): return None
def f(x): return Store(x)
""",
        """
s = Store(1, 2)
self.assertIn(1, s)
self.assertNotIn(5, s)
self.assertEqual(len(s), 2)
self.assertEqual(s + 3, Store(1, 2, 3))
self.assertEqual((0 + s)[0], 0)
self.assertGreater(s, 1)
with Store(1) as t: self.assertEqual(t[0], 1)
self.assertIsInstance(f(1), Store)
self.assertIn(1, f(1))
""",
    ),
    "a class that they do not name": (
        """
class _Vector:
    def __init__(self, x): self.x = x
    def __eq__(self, o): return self.x == o.x
    def __add__(self, o): return _Vector(self.x + o.x)
    def __iter__(self): return iter([self.x])
    def __contains__(self, x): return x == self.x
    def __bool__(self): return True
@functools.total_ordering
class _Version(_Vector):
    def __lt__(self, o): return self.x < o.x
def f(x): return _Version(x)
""",
        """
self.assertEqual(f(1), f(1))
self.assertEqual((f(1) + f(2)).x, 3)
self.assertEqual(list(f(1)), [1])
self.assertIn(1, f(1))
self.assertLess(f(1), f(2))
self.assertGreaterEqual(f(3), f(2))
self.assertTrue(f(1))
self.assertEqual(max(f(1), f(2)).x, 2)
self.assertIsNotNone(f(0))
self.assertNotEqual(f(1), None)
""",
    ),
    "its own operators in its own code": (
        """
class Money:
    def __init__(self, n): self.n = n
    def __eq__(self, o): return self.n == o
    def __lt__(self, o): return self.n < (o.n if isinstance(o, Money) else o)
    def __radd__(self, o): return o + self.n
    __hash__ = None
def f(x): return [Money(x) == x, sum([Money(x)] * 3), Money(x) < 9, sorted([Money(2), Money(1)])[0].n]
""",
        """
self.assertEqual(f(1), [True, 3, True, 1])
""",
    ),
    "mocks": (
        """
import random
def f(client): return client.get(random.randint(1, 6))
""",
        """
client = unittest.mock.MagicMock()
client.get.return_value = unittest.mock.MagicMock(status=3)
client.get.return_value.__contains__.return_value = True
with unittest.mock.patch('random.randint', return_value=4): found = f(client)
self.assertIs(found, client.get.return_value)
self.assertEqual(found, client.get.return_value)
self.assertEqual(found.status, 3)
client.get.assert_called_once_with(4)
self.assertEqual(client.get.call_args, unittest.mock.call(4))
self.assertEqual([found], [unittest.mock.ANY])
self.assertIn('x', found)
""",
    ),
    "files and matches": (
        r"""
import io, re, tempfile
def f(x):
    file = tempfile.NamedTemporaryFile('w+')
    file.write('a\nb\n')
    file.seek(0)
    return file, re.match('(a)', 'ab'), iter(Lines())
class Lines:
    def __init__(self): self.n = 0
    def __iter__(self): return self
    def __next__(self):
        self.n += 1
        if self.n > 3: raise StopIteration
        return self.n
""",
        r"""
file, match, lines = f(1)
self.assertEqual(file.read(), 'a\nb\n')
self.assertEqual(match.group(1), 'a')
self.assertEqual(list(lines), [1, 2, 3])
""",
    ),
    "classes made by hand": (
        """
R = types.new_class('R', (), {}, lambda body: body.update(x=1, __eq__=lambda s, o: s.x == o.x))
D = dataclasses.make_dataclass('D', ['x'])
class M(type):
    def __eq__(cls, o): return cls is o
    __hash__ = type.__hash__
class K(metaclass=M): pass
def f(x): return R(), D(x), K
""",
        """
r, d, k = f(1)
self.assertEqual(r, R())
self.assertEqual(d, D(1))
self.assertEqual(k, K)
self.assertIs(k, K)
self.assertEqual(type(r), R)
""",
    ),
    "functions that are looked at": (
        """
import inspect
def f(x: int, y=2):
    'Adds.'
    return list(inspect.signature(f).parameters)
""",
        """
self.assertEqual(f(1), ['x', 'y'])
self.assertEqual(inspect.signature(f).parameters['y'].default, 2)
self.assertEqual(f.__doc__, 'Adds.')
self.assertEqual(f.__name__, 'f')
self.assertFalse(inspect.iscoroutinefunction(f))
""",
    ),
}
