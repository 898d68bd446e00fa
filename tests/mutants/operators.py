"""The faults that can be put into a module. Each changes one expression or one statement."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
SQL = {
    " AND ": " OR ",
    " NOT NULL": " NULL",
    " IS NULL": " IS NOT NULL",
    " = ?": " <> ?",
    " = 0": " = 1",
    " = 1": " = 0",
    " DESC": "",
    "LEFT JOIN": "JOIN",
}
IS_SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|WHERE|JOIN|AND)\b")


@dataclass(frozen=True)
class Mutant:
    """A module with one fault in it."""

    path: str
    line: int
    what: str
    before: str
    after: str
    source: str

    def __str__(self) -> str:
        before, after = " ".join(self.before.split()), " ".join(self.after.split())
        return f"{self.path}:{self.line}: {self.what}\n    - {before}\n    + {after}"


def mutants(path: str, source: str) -> list[Mutant]:
    """Return all mutants of a module, ordered by line."""
    tree = ast.parse(source)
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line.encode()))
    encoded = source.encode()
    found = []
    for node, after, what in _changes(tree):
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
        changed = (encoded[:start] + after.encode() + encoded[end:]).decode()
        before = encoded[start:end].decode()
        ast.parse(changed)  # raises if an operator itself has a bug
        found.append(Mutant(path, node.lineno, what, before, after, changed))
    return sorted(found, key=lambda mutant: (mutant.line, mutant.what, mutant.after))


Located = ast.expr | ast.stmt
Change = tuple[Located, str, str]
"""The node that is replaced, its replacement, and the name of the fault."""


def _changes(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, Located):
        yield from _of(node)
    for child in _children(node):
        yield from _changes(child)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the parts of a node that are mutated: no types, texts, logging or protocols."""
    if isinstance(node, ast.JoinedStr | ast.Raise | ast.Assert) or _is_log(node):
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    if isinstance(node, ast.ClassDef) and any("Protocol" in ast.unparse(b) for b in node.bases):
        return
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    for name, value in ast.iter_fields(node):
        if name in TYPES or (name == "keywords" and isinstance(node, ast.ClassDef)):
            continue
        parts = value if isinstance(value, list) else [value]
        for part in parts:
            if isinstance(node, ast.Module) and not isinstance(part, DEFINITIONS):
                continue  # types, and constants that a test could only repeat
            if isinstance(part, ast.AST):
                yield part


TYPES = frozenset({"annotation", "returns", "decorator_list", "bases", "type"})
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _of(node: Located) -> Iterator[Change]:
    match node:
        case ast.Compare(ops=[op]) if type(op) in COMPARISONS:
            yield node, _with(node, ops=[COMPARISONS[type(op)]()]), "another comparison"
        case ast.BoolOp(op=op):
            other = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield node, f"({_with(node, op=other)})", "and for or"
            for index in range(len(node.values)):
                rest = node.values[:index] + node.values[index + 1 :]
                part = rest[0] if len(rest) == 1 else ast.BoolOp(op, rest)
                yield node, f"({ast.unparse(part)})", "a condition less"
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield node, f"({ast.unparse(operand)})", "no not"
        case ast.BinOp(op=op) if type(op) in ARITHMETIC and not _is_text(node):
            yield node, f"({_with(node, op=ARITHMETIC[type(op)]())})", "another operator"
        case ast.Constant(value=bool() as value):
            yield node, repr(not value), "the other truth"
        case ast.Constant(value=int() as value):
            yield node, repr(value + 1), "off by one"
        case ast.Constant(value=str() as value) if IS_SQL.search(value):
            yield from _of_sql(node, value)
        case ast.AugAssign(op=op) if type(op) in ARITHMETIC:
            yield node, _with(node, op=ARITHMETIC[type(op)]()), "another operator"
        case ast.Expr(value=ast.Call() | ast.Await()) if not _is_log(node):
            yield node, "pass", "a call less"
        case ast.Raise() | ast.Continue():
            yield node, "pass", "a statement less"
        case ast.Return(value=ast.expr() as value) if ast.unparse(value) != "None":
            yield node, "return None", "nothing returned"
    yield from _of_condition(node)


def _of_condition(node: Located) -> Iterator[Change]:
    """Negate conditions that no other fault changes."""
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        test = node.test
        if isinstance(test, ast.Name | ast.Attribute | ast.Call | ast.NamedExpr | ast.Await):
            yield test, f"(not ({ast.unparse(test)}))", "the other condition"


def _of_sql(node: ast.Constant, value: str) -> Iterator[Change]:
    for old, new in SQL.items():
        for found in re.finditer(re.escape(old), value):
            changed = value[: found.start()] + new + value[found.end() :]
            yield node, repr(changed), f"SQL: {new.strip() or 'nothing'} for {old.strip()}"


def _with(node: ast.AST, **fields: object) -> str:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return ast.unparse(changed)


def _is_text(node: ast.BinOp) -> bool:
    """Return whether the operator joins texts, which cannot be subtracted."""
    parts = [part for part in ast.walk(node) if isinstance(part, ast.Constant | ast.JoinedStr)]
    return any(isinstance(p, ast.JoinedStr) or isinstance(p.value, str | bytes) for p in parts)


def _is_log(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and ast.unparse(node).startswith(("log.", "logging."))
