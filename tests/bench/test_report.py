"""The page is what the results say, and names no machine."""

from __future__ import annotations

import socket
from pathlib import Path

from bench import report
from bench.measure import Figure
from bench.results import read, results


def test_the_page_of_benchmarks_is_fresh() -> None:
    assert report.PAGE.read_text("utf-8") == report.page(read())


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    figures = {"commits.slowest_ratio": Figure(1.25, 1.0, 1.5, 3)}
    written = results("commits", figures)
    written.write(tmp_path)

    assert read(tmp_path) == {"commits": written}


def test_results_tell_what_was_measured_with_but_not_where(tmp_path: Path) -> None:
    text = results("stages", {"write.peak_rss_mb": Figure(1, 1, 1, 1)}).write(tmp_path).read_text()

    assert '"pyarrow"' in text
    assert '"cores"' in text
    assert socket.gethostname() not in text
    assert str(tmp_path) not in text
