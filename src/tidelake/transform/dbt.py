"""One target of the dbt project: parsed once, run as often as there is news, in this process.

A dbt command line takes five CPU-seconds to start and to parse. Here a cycle pays for its models.
What dbt writes lies in the state folder, never in the project.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from tidelake.errors import SetupError, TidelakeError, TransientError
from tidelake.settings import masked

if TYPE_CHECKING:
    from dbt.artifacts.schemas.run import RunExecutionResult
    from dbt.cli.main import dbtRunnerResult
    from dbt.contracts.graph.manifest import Manifest

log = logging.getLogger("tidelake.transform")

Target = Literal["silver", "gold"]
Value = str | int | bool
Progress = Callable[[str, str, float], None]  # model, status, seconds

#: dbt's flags that every run gets: nothing of the network, nothing printed. No log file, since dbt
#: opens one for each run and closes none; what it warns of goes to our log.
QUIET = (
    "--no-send-anonymous-usage-stats",
    "--no-version-check",
    "--no-use-colors",
    "--no-print",
    "--quiet",
    "--log-level=none",
    "--log-level-file=none",
)

#: What of a database's message may hold values of events, up to its end: lines that follow the
#: first sentence, and quotes that are no name of something in the database, which hold any text.
VALUES = re.compile(
    r"""
    ^\s*(?:DETAIL|CONTEXT|QUERY|HINT|LINE\ \d+|PL/pgSQL\ function)\b
    | (?<!\brelation\ )(?<!\bcolumn\ )(?<!\btable\ )(?<!\bconstraint\ )(?<!\bindex\ )
      (?<!\bfunction\ )(?<!\bschema\ )(?<!\brole\ )(?<!\buser\ )(?<!\bdatabase\ )
      (?<!\btype\ )(?<!\bview\ )(?<!\bat\ )(?<!\bencoding\ )(?<!\bparameter\ )(?<!\bnamed\ )
      (?<![\w"])["'](?=.)
    | \b0x[0-9a-f]{2}
    """,
    re.MULTILINE | re.VERBOSE | re.IGNORECASE,
)

#: DuckDB quotes the whole query before what PostgreSQL says of it.
QUERY = re.compile(r'(?<=query )".*?"(?=: )', re.DOTALL)
COMPILED = "compiled code at "  # dbt's last line
OF_THE_PROJECT = ("Compilation Error", "Parsing Error")  # they quote its text and no data
CUT = "…"

LONGEST_MESSAGE = 2000  # characters: the start of a message says what failed


class ModelError(TransientError):
    """A model, or dbt before any model, failed; the same run may succeed later."""

    def __init__(self, target: Target, model: str, message: str) -> None:
        said = tellable(message)[:LONGEST_MESSAGE]
        super().__init__(
            f"the model {model} of {target} failed: {said}",
            hint="What was published stays; the same window is made again once the cause is gone.",
        )
        self.target, self.model, self.said = target, model, said


class Interrupted(TidelakeError):
    """The run was told to stop in the middle; what its models have not done is done by the next."""


@dataclass(frozen=True, slots=True)
class NodeResult:
    """What became of one model or test; `failures` are the rows that a test found."""

    name: str
    status: str
    message: str
    failures: int
    seconds: float


@dataclass
class DbtTarget:
    """`target` of the project in `project`, which keeps its state in `state`.

    `environment` is what profiles.yml reads by `env_var`, secrets too: they reach no file and no
    command line. `fixed` are vars that decide on names and so belong to what was parsed.
    `progress` is told of each model as it ends. `broken_off` says whether somebody ends the queries
    of this run: what fails then has not failed.
    """

    project: Path
    state: Path
    target: Target
    environment: Mapping[str, str]
    fixed: Mapping[str, Value] = field(default_factory=dict)
    threads: int = 1
    progress: Progress = lambda _model, _status, _seconds: None
    broken_off: Callable[[], bool] = lambda: False
    _manifest: Manifest | None = None

    def parse(self) -> None:
        """Parses the project, if it was not; a run does it too. Raises `SetupError`."""
        if self._manifest is not None:
            return
        done = self._invoke("parse", [])
        if done.exception is not None or not done.success:
            raise SetupError(
                f"the dbt project in {self.project} can not be parsed: "
                f"{tellable(str(done.exception))}",
                hint="Mend what dbt names; `tidelake docs` shows the whole project.",
            ) from done.exception
        self._manifest = cast("Manifest", done.result)

    def run(
        self,
        values: Mapping[str, Value],
        select: Sequence[str] = (),
        full_refresh: bool = False,
        exclude: Sequence[str] = (),
    ) -> list[NodeResult]:
        """Runs the models, all or those that `select` names in dbt's words, with these vars.

        Those that `exclude` names are left out. Raises `ModelError` for the first that failed;
        those that do not depend on it were run. Raises `Interrupted` on Ctrl-C.
        """
        arguments = ["--full-refresh"] if full_refresh else []
        arguments += [f"--exclude={' '.join(exclude)}"] if exclude else []
        found = self._nodes("run", arguments, values, select)
        for node in found:
            if node.status == "error":
                self._require_unbroken()
                raise ModelError(self.target, node.name, node.message)
        return found

    def test(self, values: Mapping[str, Value], select: Sequence[str] = ()) -> list[NodeResult]:
        """Runs the data tests; one that fails is a result like the others."""
        return self._nodes("test", ["--exclude-resource-type=unit_test"], values, select)

    def docs(self, into: Path) -> None:
        """Writes dbt's documentation into the folder `into`, as one page `static_index.html`."""
        self._require(self._invoke("docs generate", ["--static"], target_path=into))

    def _nodes(
        self,
        command: str,
        arguments: list[str],
        values: Mapping[str, Value],
        select: Sequence[str],
    ) -> list[NodeResult]:
        self.parse()
        chosen = [f"--select={' '.join(select)}"] if select else []
        arguments = [*arguments, f"--threads={self.threads}", "--no-write-json", *chosen]
        done = self._invoke(command, arguments, values)
        self._require(done)
        ran = cast("RunExecutionResult | None", done.result)
        return [_result(node) for node in ran.results] if ran else []

    def _require(self, done: dbtRunnerResult) -> None:
        """Raises what dbt raised: failed models are results, all else is an exception."""
        trouble = done.exception
        if trouble is None:
            return
        # dbtRunner catches Ctrl-C too.
        if isinstance(trouble, KeyboardInterrupt | SystemExit):
            raise Interrupted(f"the run of {self.target} was stopped") from trouble
        self._require_unbroken()
        raise ModelError(self.target, "dbt", str(trouble) or repr(trouble)) from trouble

    def _require_unbroken(self) -> None:
        if self.broken_off():
            raise Interrupted(f"the run of {self.target} was broken off")

    def _invoke(
        self,
        command: str,
        arguments: list[str],
        values: Mapping[str, Value] | None = None,
        target_path: Path | None = None,
    ) -> dbtRunnerResult:
        from dbt.cli.main import dbtRunner

        runner = dbtRunner(self._manifest, callbacks=[self._told])
        every = [
            *QUIET,
            f"--project-dir={self.project}",
            f"--profiles-dir={self.project}",
            f"--target={self.target}",
            f"--target-path={target_path or self.state / f'target-{self._name}'}",
            f"--log-path={self.state / 'logs'}",
            f"--vars={json.dumps({**self.fixed, **(values or {})})}",
        ]
        with _environment(self.environment):
            try:
                return runner.invoke([*command.split(), *every, *arguments])
            finally:
                _let_go()

    @property
    def _name(self) -> str:
        """A name for what was parsed: other fixed vars are another manifest."""
        return "-".join([self.target, *(str(value) for value in self.fixed.values() if value)])

    def _told(self, event: Any) -> None:
        if event.info.name == "NodeFinished":
            node = event.data.node_info
            began, ended = node.node_started_at, node.node_finished_at
            self.progress(node.node_name, node.node_status, _seconds(began, ended))
        elif event.info.level in ("warn", "error"):
            log.info("dbt: %s", tellable(event.info.msg))


def tellable(message: str) -> str:
    """A message of dbt without what must reach no log and no reader.

    DuckDB quotes the connection string with its password, PostgreSQL values that it can not take,
    and whole rows in its details. What is left is the model, the first sentence up to a value, and
    where the query lies.
    """
    text = QUERY.sub(CUT, masked(message).strip())
    lines = text.splitlines()
    found = None if text.startswith(OF_THE_PROJECT) else VALUES.search(text)
    if found is None:
        return text
    kept = text[: found.start()].rstrip()
    if not text[found.start() :].lstrip()[:1].isalpha():
        kept = f"{kept} {CUT}"
    return "\n".join([kept, lines[-1]] if lines[-1].lstrip().startswith(COMPILED) else [kept])


def _seconds(began: str, ended: str) -> float:
    from datetime import datetime

    return (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()


def _result(node: Any) -> NodeResult:
    return NodeResult(
        node.node.name,
        str(node.status),
        tellable(node.message or ""),
        node.failures or 0,
        node.execution_time,
    )


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """The environment of the process, with these values while dbt looks at it."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _let_go() -> None:
    """Closes the DuckDB file of the run: its lock would stay until the next one."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    if DuckDBConnectionManager._ENV is not None:
        DuckDBConnectionManager.env().close()
        DuckDBConnectionManager.close_all_connections()
