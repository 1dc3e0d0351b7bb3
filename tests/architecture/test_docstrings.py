"""What the signature cannot say is said: each public name of the domain has a docstring, or a shape that needs none.

None is needed by

- an error that holds its slug, what it is about, and a sentence: its name states the fact;
- a use case that can do nothing but be called, and says what then;
- a function of a few lines that raises nothing itself, and whose numbers say by their names what they count or in which
  unit.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.test_packages import modules_of, name_of

_A_FEW_LINES = 5
_NUMBERS = {"int", "float", "Fraction", "timedelta"}
# What numbers are called whose unit or kind everybody knows.
_TELLING = (
    *("_us", "_s", "_ms", "segments", "units", "count", "counts", "attempts", "failures", "recipients", "times"),
    *("number", "position", "limit", "most", "id", "ids"),
    *("duration", "lifetime", "window", "retention", "after", "delay", "ahead"),
)

Defined = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def undocumented(source: str) -> Iterator[str]:
    """Names that need a docstring and have none, with why they need one."""
    for name, node in _public(ast.parse(source).body):
        if ast.get_docstring(node):
            continue
        why = _class_needs(node) if isinstance(node, ast.ClassDef) else _function_needs(node)
        if why:
            yield f"{name}: {why}"


def _public(body: list[ast.stmt], within: str = "") -> Iterator[tuple[str, Defined]]:
    for node in body:
        if isinstance(node, Defined) and not node.name.startswith("_"):
            yield f"{within}{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from _public(node.body, f"{node.name}.")


def _class_needs(node: ast.ClassDef) -> str:
    methods = [each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    offered = [each for each in methods if not each.name.startswith("_")]
    if any(isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == "slug" for each in node.body):
        return "" if not offered else "an error that can do something"
    called = next((each for each in methods if each.name == "__call__"), None)
    return "" if called and ast.get_docstring(called) and not offered else "a class"


def _function_needs(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    if any(isinstance(each, ast.Raise) for each in ast.walk(node)):
        return "it raises"
    lines = (node.body[-1].end_lineno or 0) - node.body[0].lineno + 1
    if lines > _A_FEW_LINES:
        return f"it has {lines} lines"
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    numbers = [each.arg for each in arguments if each.annotation and _is_number(each.annotation)]
    if node.returns and _is_number(node.returns):
        numbers.append(node.name)
    unclear = [name for name in numbers if not name.endswith(_TELLING)]
    return f"a number without a unit: {', '.join(unclear)}" if unclear else ""


def _is_number(annotation: ast.expr) -> bool:
    return bool({each.strip() for each in ast.unparse(annotation).split("|")} & _NUMBERS)


@pytest.mark.parametrize("module", modules_of("domain"), ids=name_of)
def test_public_names_of_the_domain_say_what_their_signature_cannot(module: Path) -> None:
    assert list(undocumented(module.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        ("class Pace:\n    per_s = 1", ["Pace: a class"]),
        ('class Gone(DomainError):\n    slug = "gone"\n    id: int', []),
        ('class Gone(Fault):\n    slug = "g"\n    def of(self): ...', ["Gone: an error that can do something"]),
        ('class Send:\n    queue: Queue\n    def __call__(self):\n        "Sends."', []),
        ("class Send:\n    queue: Queue\n    def __call__(self): ...", ["Send: a class"]),
        ('class Send:\n    def __call__(self):\n        "Sends."\n    def stop(self): ...', ["Send: a class"]),
        ("def parse(text: str) -> Pace:\n    raise InvalidValue", ["parse: it raises"]),
        ("def wait(delay_us: int) -> None: ...", []),
        ("def wait(how_long: int) -> None: ...", ["wait: a number without a unit: how_long"]),
        ("def age(of: str) -> float | None: ...", ["age: a number without a unit: age"]),
        ("def long(a: str) -> str:\n" + "    a += 'a'\n" * 6 + "    return a", ["long: it has 7 lines"]),
        ("def _own(how_long: int) -> None:\n    raise ValueError", []),
        (
            'class A:\n    "Something."\n    def of(self) -> int:\n        return 1',
            ["A.of: a number without a unit: of"],
        ),
    ],
)
def test_what_needs_a_docstring_is_found(source: str, missing: list[str]) -> None:
    assert list(undocumented(source)) == missing
