"""One server and one browser for all tests; each test publishes what it wants to be seen."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from tests.dashboard import browser, sample_gold

if TYPE_CHECKING:
    from selenium.webdriver import Chrome


@dataclass
class Served:
    """A dashboard that runs on a home of its own."""

    home: Path
    url: str
    today: date
    sample: Path = Path()
    pid: int = 0
    _versions: Iterator[int] = field(default_factory=lambda: count(1))

    def publish(self, **given: Any) -> Path:
        """A new version with the sample's figures."""
        given = {"last_day": self.today, "published_at": datetime.now(UTC), **given}
        return sample_gold.publish(self.home, next(self._versions), **given)

    def publish_file(self, build: Any) -> Path:
        """A new version that `build(path)` writes."""
        name = f"gold-{next(self._versions):08d}.duckdb"
        path = self.home / "gold" / name
        build(path)
        sample_gold.point(self.home, name)
        return path

    def publish_sample(self) -> Path:
        """The sample again, under a version of its own, as every publication has."""
        return self.publish_file(lambda path: shutil.copyfile(self.sample, path))


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("dashboard")) as here:
        yield here


@contextmanager
def serving(home: Path, **settings: str) -> Iterator[Served]:
    """A dashboard on a home, with the sample published; `settings` by their variables."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    here = Served(home, f"http://127.0.0.1:{port}", datetime.now(UTC).date())
    here.sample = here.publish()
    log = home / "dashboard.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "tidelake", "--home", str(home), "run", "dashboard"],
            env={**os.environ, "TIDELAKE_DASHBOARD_PORT": str(port), **settings},
            stdout=out,
            stderr=out,
        )
    try:
        browser.until(lambda: process.poll() is not None or _answers(here.url), "it answers")
        assert process.poll() is None, log.read_text()
        here.pid = process.pid
        yield here
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, log.read_text()
    assert "Traceback" not in log.read_text()


@pytest.fixture(scope="session")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    if not shutil.which("chromium") or not shutil.which("chromedriver"):
        pytest.skip("chromium and chromedriver are not installed: the pages were NOT looked at")
    with browser.chromium(tmp_path_factory.mktemp("chromium")) as started:
        yield started


@pytest.fixture
def sample(served: Served) -> Path:
    """The sample is what is published; gives its file."""
    return served.publish_sample()


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/_stcore/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False
