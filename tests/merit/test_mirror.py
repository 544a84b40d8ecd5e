"""Tests mirror the package: what merit/a/b.py does is tested in tests/merit/a/test_b.py."""

import ast
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE, TESTS = ROOT / "merit", ROOT / "tests" / "merit"

ACROSS = {  # tests of what several modules keep together
    "test_imports.py",
    "test_mirror.py",
    "bin/test_locks.py",
}


def has_code(path: Path) -> bool:
    """Whether a module has a function or a method: more than constants, plain classes and a command that runs one."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return any(isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) for node in nodes)


def test_every_module_with_code_has_its_test() -> None:
    modules = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py") if has_code(path))
    missing = [str(path) for path in modules if not (TESTS / path.parent / f"test_{path.name}").is_file()]
    assert not missing, "without a test of their name:\n" + "\n".join(missing)


def test_every_test_has_its_module() -> None:
    tests = {path.relative_to(TESTS) for path in TESTS.rglob("test_*.py")}
    assert {Path(name) for name in ACROSS} <= tests
    astray = [str(path) for path in sorted(tests) if not (PACKAGE / path.parent / path.name[len("test_") :]).is_file()]
    astray = [path for path in astray if path not in ACROSS]
    assert not astray, "tests of no module:\n" + "\n".join(astray)


def test_no_two_tests_share_a_name() -> None:
    counts = Counter(path.name for path in (ROOT / "tests").rglob("*.py") if path.name != "conftest.py")
    twice = [name for name, count in counts.items() if count > 1]
    assert not twice, f"pytest imports tests by the names of their files: {' '.join(twice)}"
