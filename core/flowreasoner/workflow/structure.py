"""Finds the parts of a workflow in a module: its class, operator bindings, constants and methods.

Takes in the shapes that are in use: AFlow's, MetaGPT's and FlowReasoner's class with ``__call__``,
ScoreFlow's ``run_workflow``, and a bare method as the paper's figures print it.
"""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flowreasoner.workflow.constants import is_literal, touched_names
from flowreasoner.workflow.diagnostics import Diagnostic
from flowreasoner.workflow.language import LOGGERS, MAX_SOURCE, MODULES
from flowreasoner.workflow.prompts import constant_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flowreasoner.operators.spec import Operator

__all__ = ["Imports", "Structure", "find_structure", "operator_class", "unwrap_repeated", "without_docstring"]

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
_ENTRIES = ("__call__", "run_workflow")
_FRAMEWORKS = frozenset(
    """metagpt workspace scripts examples typing typing_extensions __future__ evoagentx mas_arena weave
        ScoreFlow maas langsmith flowreasoner_adapters""".split()
)
_SAME_OPERATOR = {"QAScEnsemble": "ScEnsemble"}  # EvoAgentX's name for AFlow's operator
_PROMPT_MODULES = frozenset({"prompt", "prompts", "prompt_custom"})
_TRACERS = frozenset({"op", "observe", "trace", "traceable", "weave.op", "langsmith.traceable"})


@dataclass
class Imports:
    """What imported names stand for.

    Attributes:
        modules: Language module by local name, e.g. ``{"m": "math"}``.
        members: (module, member) by local name, e.g. ``{"sqrt": ("math", "sqrt")}``.
        operators: Names of the operator module.
        prompts: Names of the prompt module.
        prompt_names: Prompt constant by local name, for those imported one by one.
        foreign: Module of origin by name, for what the language does not have.
    """

    modules: dict[str, str] = field(default_factory=dict)
    members: dict[str, tuple[str, str]] = field(default_factory=dict)
    operators: set[str] = field(default_factory=lambda: {"operator", "operators"})
    prompts: set[str] = field(default_factory=lambda: {"prompt_custom"})
    prompt_names: dict[str, str] = field(default_factory=dict)
    foreign: dict[str, str] = field(default_factory=dict)

    def add(self, node: ast.Import | ast.ImportFrom) -> list[str]:
        """Takes in an import and returns the modules that the language does not have."""
        unknown = []
        for item in node.names:
            name = item.asname or item.name.split(".")[0]
            path = item.name if isinstance(node, ast.Import) else f"{node.module or ''}.{item.name}".lstrip(".")
            root, last = path.split(".")[0], path.split(".")[-1]
            if last == "operator" or name == "operator":
                self.operators.add(name)
            elif last in _PROMPT_MODULES:
                self.prompts.add(name)
            elif isinstance(node, ast.ImportFrom) and path.split(".")[-2:-1] and path.split(".")[-2] in _PROMPT_MODULES:
                if name != "*":
                    self.prompt_names[name] = last
            elif name in LOGGERS:
                pass
            elif isinstance(node, ast.Import) and path in MODULES:
                self.modules[name] = path
            elif isinstance(node, ast.ImportFrom) and last in MODULES.get(node.module or "", ()):
                self.members[name] = (node.module or "", last)
            else:
                self.foreign[name] = path
                if root not in _FRAMEWORKS:
                    unknown.append(path)
        return unknown


@dataclass
class Structure:
    """The raw parts of a workflow, before they are brought into canonical form.

    Attributes:
        entry: The method that a run calls.
        helpers: Other methods and module-level functions.
        bindings: Operator class by attribute.
        constants: Attributes that ``__init__`` or the class sets to a literal.
        globals: Names that the module sets to a literal, texts left out.
        room: How many nodes the literals may still take where they are used.
        framework: Attributes that ``__init__`` sets to anything else: the host framework's own objects.
        prompts: String constants of the same module.
        imports: What imported names stand for.
        scoreflow: Whether the entry is ScoreFlow's ``run_workflow``.
        has_init: Whether there is an ``__init__``.
        repairs: What was repaired.
        problems: What was found.
    """

    entry: FunctionNode | None = None
    helpers: dict[str, FunctionNode] = field(default_factory=dict)
    bindings: dict[str, str] = field(default_factory=dict)
    constants: dict[str, ast.expr] = field(default_factory=dict)
    globals: dict[str, ast.expr] = field(default_factory=dict)
    room: int = 20_000
    framework: set[str] = field(default_factory=set)
    prompts: dict[str, str] = field(default_factory=dict)
    imports: Imports = field(default_factory=Imports)
    scoreflow: bool = False
    has_init: bool = False
    repairs: list[str] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)

    def refuse(self, node: ast.AST, code: str, message: str, remedy: str) -> None:
        """Records an error at a node."""
        line, column = getattr(node, "lineno", 0), getattr(node, "col_offset", -1) + 1
        self.problems.append(Diagnostic(line, column, code, "error", message, remedy))

    def take_import(self, node: ast.Import | ast.ImportFrom) -> None:
        """Takes in an import; what the language does not have is left out, and refused only where it is used."""
        for module in self.imports.add(node):
            message = f"the import of {module!r} is left out: workflows import only {', '.join(sorted(MODULES))}"
            self.warn(node, "ignored-import", message, "remove it")

    def warn(self, node: ast.AST, code: str, message: str, remedy: str) -> None:
        """Records a warning at a node."""
        line, column = getattr(node, "lineno", 0), getattr(node, "col_offset", -1) + 1
        self.problems.append(Diagnostic(line, column, code, "warning", message, remedy))


def find_structure(tree: ast.Module, operators: Mapping[str, Operator]) -> Structure:
    """Finds the workflow in a module.

    Args:
        tree: The module.
        operators: Known operators by class name.

    Returns:
        Its parts; `entry` is None when there is no workflow, with the reason among the problems.
    """
    found = Structure()
    functions = _read_module_level(tree, found)
    workflow = _workflow_class(tree)
    if workflow is not None:
        _read_class(workflow, found, operators)
        found.helpers = {name: node for name, node in functions.items() if name not in found.helpers} | found.helpers
    else:
        found.entry = next((functions.pop(name) for name in _ENTRIES if name in functions), None)
        found.helpers = functions
        if found.entry is not None:
            found.repairs.append("a bare method wrapped in a class Workflow")
            _note_decorators(found.entry, found)
    if found.entry is None and not any(item.severity == "error" for item in found.problems):
        message = "there is no class Workflow with an async __call__ method"
        found.refuse(tree, "no-workflow", message, "write: class Workflow: ... async def __call__(self, problem): ...")
    elif isinstance(found.entry, ast.FunctionDef):
        found.repairs.append(f"{found.entry.name} made async")
    found.scoreflow = found.entry is not None and found.entry.name == "run_workflow"
    return found


def _read_module_level(tree: ast.Module, found: Structure) -> dict[str, FunctionNode]:
    """Takes in imports and string constants, and returns the functions of the module."""
    functions: dict[str, FunctionNode] = {}
    room = MAX_SOURCE
    for node in tree.body:
        match node:
            case ast.Import() | ast.ImportFrom():
                found.take_import(node)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                functions[name] = node
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                text = constant_text(value, found.prompts)
                if text is not None and len(text) <= room:
                    found.prompts[name] = text
                    room -= len(text)
                elif is_literal(value):
                    found.globals[name] = value
    for name in touched_names(tree.body):
        found.globals.pop(name, None)
    return functions


def _workflow_class(tree: ast.Module) -> ast.ClassDef | None:
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    named = [node for node in classes if node.name == "Workflow"]
    with_entry = [node for node in classes if any(_name(member) in _ENTRIES for member in node.body)]
    return next(iter([*named, *with_entry]), None)


def _name(node: ast.stmt) -> str:
    return node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else ""


def _read_class(node: ast.ClassDef, found: Structure, operators: Mapping[str, Operator]) -> None:
    methods: dict[str, FunctionNode] = {}
    for member in node.body:
        match member:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                methods[name] = member
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ) if is_literal(value):
                found.constants[name] = value
            case ast.Expr(value=ast.Constant()) | ast.Pass() | ast.AnnAssign(value=None):
                pass
            case _:
                what = type(member).__name__
                found.refuse(
                    member,
                    "forbidden-syntax",
                    f"{what} in the class body is outside the language",
                    "keep only methods there",
                )
    _restore_dunders(methods, found)
    init = methods.pop("__init__", None)
    if init is not None:
        found.has_init = True
        _read_init(init, found, operators)
    called, run = methods.get("__call__"), methods.get("run_workflow")
    if run is not None and (called is None or _delegates(called)):
        methods.pop("__call__", None)
        found.entry = methods.pop("run_workflow")
    else:
        found.entry = methods.pop("__call__", None)
    for name, method in methods.items():
        if name.startswith("__"):
            found.refuse(
                method, "forbidden-attribute", f"the method {name!r} is outside the language", "remove or rename it"
            )
        else:
            found.helpers[name] = method
    for method in (*([found.entry] if found.entry else ()), *found.helpers.values()):
        _note_decorators(method, found)
    if found.entry is None:
        found.refuse(
            node,
            "no-workflow",
            f"class {node.name} has no __call__ method",
            "add: async def __call__(self, problem): ...",
        )


def _restore_dunders(methods: dict[str, FunctionNode], found: Structure) -> None:
    """Renames ``init`` and ``call`` where Markdown took the underscores for bold type."""
    for plain in ("init", "call"):
        dunder = f"__{plain}__"
        if plain in methods and not methods.keys() & set(_ENTRIES) and dunder not in methods:
            methods[dunder] = methods.pop(plain)
            methods[dunder].name = dunder
            found.repairs.append(f"the method {plain!r} renamed to {dunder!r}")


def _delegates(method: FunctionNode) -> bool:
    """Tells whether a ``__call__`` only awaits ``run_workflow``, as ScoreFlow's wrapper does."""
    return any(isinstance(node, ast.Attribute) and node.attr == "run_workflow" for node in ast.walk(method))


def _note_decorators(method: FunctionNode, found: Structure) -> None:
    for decorator in method.decorator_list:
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = ast.unparse(target)
        if name in _TRACERS:
            found.repairs.append(f"the tracing decorator @{name} removed")
        elif name != "staticmethod":
            found.refuse(decorator, "forbidden-syntax", f"the decorator @{name} is outside the language", "remove it")


def _read_init(method: FunctionNode, found: Structure, operators: Mapping[str, Operator]) -> None:
    """Takes in operator bindings and constants; all other set-up is the framework's own."""
    times: Counter[str] = Counter()
    for node in ast.walk(method):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            times[node.attr] += 1
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if not (
                isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self"
            ):
                continue
            value = node.value.body if isinstance(node.value, ast.IfExp) else node.value
            bound = operator_class(value, found.imports, operators)
            if bound is not None:
                found.bindings[target.attr] = bound
            elif is_literal(node.value) and node in method.body:
                found.constants[target.attr] = node.value
            else:
                found.framework.add(target.attr)
    for name in [name for name in found.constants if times[name] > 1]:
        del found.constants[name]


def operator_class(node: ast.AST, imports: Imports, known: Iterable[str]) -> str | None:
    """Returns ``Name`` for ``operator.Name(...)``, or for ``Name(...)`` when it is a known operator."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr=name)) if module in imports.operators:
            return _SAME_OPERATOR.get(name, name)
        case ast.Call(func=ast.Name(id=name)) if name in known:
            return name
    return None


def unwrap_repeated(node: FunctionNode, found: Structure) -> FunctionNode:
    """Returns the inner one of two methods of the same name, the outer of which holds nothing else."""
    body = without_docstring(node.body)
    if len(body) == 1 and isinstance(body[0], ast.FunctionDef | ast.AsyncFunctionDef) and body[0].name == node.name:
        found.repairs.append(f"a second def {node.name} directly inside the first unwrapped")
        return body[0]
    return node


def without_docstring(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Leaves out all texts at the beginning: without the first, the second would be the docstring."""
    match body:
        case [ast.Expr(value=ast.Constant(value=str())), *rest] if rest:
            return without_docstring(rest)
    return list(body)
