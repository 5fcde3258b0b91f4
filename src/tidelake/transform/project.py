"""Where the dbt project lies."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tidelake.errors import SetupError

IN_WHEEL = Path(__file__).parent / "project"
IN_REPOSITORY = Path(__file__).parents[3] / "dbt"

#: Folder of models that are views: each run makes those anew whose query has changed.
VIEWS = "masked"

#: Jinja's comments, and the data tests among the macros.
NO_SQL = re.compile(r"\{#.*?#\}|\{% *test .*?endtest *%\}", re.DOTALL)


def project_folder() -> Path:
    """The dbt project of this tidelake; nothing may be written into it. Raises `SetupError`."""
    for folder in (IN_WHEEL, IN_REPOSITORY):
        if (folder / "dbt_project.yml").is_file():
            return folder
    raise SetupError(
        f"the dbt project is missing: neither {IN_WHEEL} nor {IN_REPOSITORY} holds one",
        hint="Install tidelake again; it is part of the wheel and of the repository.",
    )


def fingerprint(project: Path, layer: str) -> str:
    """Changes when what the layer's models make does; tests, words and views do not count.

    What counts is the SQL of models and macros, and of their YAML the configuration and the
    names, types and keys of columns, from which tables are made.
    """
    digest = hashlib.sha256()
    for path in sorted((project / "macros" / layer).rglob("*.sql")):
        digest.update(_named(project, path, _sql(path)))
    for path in sorted((project / "models" / layer).rglob("*")):
        if VIEWS in path.relative_to(project).parts:
            continue
        if path.suffix == ".sql":
            digest.update(_named(project, path, _sql(path)))
        elif path.suffix == ".yml":
            digest.update(_named(project, path, _tables(path)))
    return digest.hexdigest()[:16]


def _named(project: Path, path: Path, text: str) -> bytes:
    return f"{path.relative_to(project).as_posix()}\n{text}\n".encode()


def _sql(path: Path) -> str:
    """The lines that say something. Git may have changed their ends on the way here."""
    text = NO_SQL.sub("", path.read_text("utf-8"))
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("--"))


def _tables(path: Path) -> str:
    import yaml

    models = (yaml.safe_load(path.read_text("utf-8")) or {}).get("models", ())
    return "\n".join(
        f"{model['name']} {_config(model)} {_keys(model)}: "
        + ", ".join(
            f"{column['name']} {column.get('data_type')} {_keys(column)}"
            for column in model.get("columns", ())
        )
        for model in models
    )


def _config(model: Mapping[str, Any]) -> str:
    """How it is made; tags only say when."""
    config = {name: value for name, value in model.get("config", {}).items() if name != "tags"}
    return json.dumps(config, sort_keys=True)


def _keys(owner: Mapping[str, Any]) -> str:
    return json.dumps(owner.get("constraints", []), sort_keys=True)
