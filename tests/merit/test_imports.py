"""Imports go one way, from the commands down to the data, and no system knows another (read by ast, nothing is run)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

FLOORS = {"nets", "objectives", "metrics", "data"}
SHARED = {"training", "report", "dumping", *FLOORS}
BELOW = {  # room -> the rooms that it may import, besides itself and the ground: the files directly in merit/
    "ground": set(),
    "data": set(),
    "jobs": set(),
    "assets": set(),
    "nets": {"assets"},
    "metrics": {"data"},
    "objectives": {"nets"},
    "training": FLOORS,
    "report": FLOORS,
    "dumping": {"jobs", *FLOORS},
    "systems": SHARED,
    "bin": {"systems", "jobs", *SHARED},
    "cli": {"systems", *SHARED},
}


def room(module: str) -> str:
    """``merit.data.audio`` is in ``data``; what is in no folder is on the ground, but for the command ``merit.cli``."""
    name = [*module.split("."), ""][1]
    return name if name == "cli" or (name and (ROOT / "merit" / name).is_dir()) else "ground"


def system(module: str) -> str:
    """``merit.systems.smoe.model`` is of ``smoe``; empty outside of the systems."""
    parts = module.split(".")
    return parts[2] if room(module) == "systems" and len(parts) > 2 else ""


def imports(source: str) -> Iterator[str]:
    """What of the package is imported, wherever in the source the statement stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "merit")
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports are absolute here"
            yield from (f"{node.module}.{alias.name}" for alias in node.names if node.module.split(".")[0] == "merit")


def problems(module: str, source: str) -> list[str]:
    """What a module imports and may not."""
    allowed = {room(module), "ground", *BELOW[room(module)]}
    return [
        f"{module} imports {imported}"
        for imported in imports(source)
        if room(imported) not in allowed or (system(module) and system(imported) not in ("", system(module)))
    ]


def test_every_room_imports_from_below_alone() -> None:
    found = []
    for path in sorted((ROOT / "merit").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        found += problems(module, path.read_text(encoding="utf-8"))
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("module", "line", "allowed"),
    [
        ("merit.training.run", "from merit.systems.sparse_merit.phases.batch import collate", False),
        ("merit.training.run", "def later():\n    from merit import systems", False),
        ("merit.training.run", "from merit.report.table import Table", False),
        ("merit.nets.gate", "import merit.data.audio", False),
        ("merit.nets.gate", "from merit.time_grid import SAMPLE_RATE", True),
        ("merit.data.audio", "from merit.nets import masks", False),
        ("merit.metrics.significance", "from merit.data.audio import read_audio", True),
        ("merit.systems.smoe.model", "from merit.systems.sparse_merit.model import Merit", False),
        ("merit.systems.smoe.model", "from merit.systems.smoe.heads import Head", True),
        ("merit.systems.smoe.model", "from merit.bin import decode", False),
        ("merit.files", "from merit.data.audio import read_audio", False),
        ("merit.files", "from merit.cli import main", False),
        ("merit.cli", "from merit.systems.sparse_merit.inference import Merit", True),
        ("merit.cli", "import merit.bin", False),
    ],
)
def test_what_a_room_may_import(module: str, line: str, allowed: bool) -> None:
    assert bool(problems(module, line)) != allowed
