"""A dbt project that is parsed once for all tests."""

from __future__ import annotations

from typing import Any, ClassVar

from tidelake.transform.dbt import DbtTarget


class ParsedOnce(DbtTarget):
    """A parse costs four CPU-seconds; a project, or a copy of it, does not change while tests run.

    What was parsed names the database, so that of another one is no use.
    """

    manifests: ClassVar[dict[str, Any]] = {}

    def parse(self) -> None:
        database = self.environment["TIDELAKE_DBT_DBNAME"]
        name = f"{self.project.name} {self.target} {self.fixed} {database}"
        self._manifest = self._manifest or self.manifests.get(name)
        super().parse()
        self.manifests[name] = self._manifest
