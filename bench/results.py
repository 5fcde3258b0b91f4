"""What was measured, as `bench/results/<name>.json`: figures, and with what they were made."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.measure import Figure
from tidelake import __version__

FOLDER = Path(__file__).resolve().parent / "results"
PACKAGES = ("pyarrow", "pyiceberg", "msgspec", "granian", "duckdb", "psycopg")


@dataclass(frozen=True, slots=True)
class Results:
    """The figures of one benchmark, by name."""

    name: str
    date: str
    with_what: Mapping[str, str]
    figures: Mapping[str, Figure]

    def __getitem__(self, figure: str) -> Figure:
        return self.figures[figure]

    def write(self, folder: Path = FOLDER) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.json"
        figures = {name: asdict(figure) for name, figure in sorted(self.figures.items())}
        document = {"date": self.date, "with": dict(self.with_what), "figures": figures}
        path.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
        return path


def results(name: str, figures: Mapping[str, Figure]) -> Results:
    """Of now and of this machine; nothing in it tells whose machine it is."""
    versions = {package: importlib.metadata.version(package) for package in PACKAGES}
    cores = str(os.cpu_count())
    with_what = {"tidelake": __version__, "python": platform.python_version(), **versions}
    with_what |= {"system": f"{platform.system()} {platform.machine()}", "cores": cores}
    rounded = {
        name: Figure(_round(f.median), _round(f.low), _round(f.high), f.rounds)
        for name, f in figures.items()
    }
    return Results(name, datetime.now(UTC).date().isoformat(), with_what, rounded)


def _round(value: float) -> float:
    """Four digits: more would pretend."""
    return float(f"{value:.4g}")


def read(folder: Path = FOLDER) -> dict[str, Results]:
    """Everything that was kept, by name."""
    return {path.stem: _read(path) for path in sorted(folder.glob("*.json"))}


def _read(path: Path) -> Results:
    document = json.loads(path.read_text("utf-8"))
    figures = {name: Figure(**figure) for name, figure in document["figures"].items()}
    return Results(path.stem, document["date"], document["with"], figures)
