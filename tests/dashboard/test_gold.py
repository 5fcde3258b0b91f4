"""Finding, opening and keeping the published gold file."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from tests.dashboard import sample_gold

from tidelake.dashboard import arrow
from tidelake.dashboard.freshness import STALE_AFTER_S, notices
from tidelake.dashboard.gold import GoldReader, GoldVersion, open_gold
from tidelake.dashboard.live import News
from tidelake.errors import DamagedError, IncompatibleError

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SAID = GoldVersion(7, 100, NOW - timedelta(minutes=4), "UTC", "")


def publish(home: Path, version: int) -> Path:
    (home / "gold").mkdir(exist_ok=True)
    path = home / "gold" / f"gold-{version:08d}.duckdb"
    sample_gold.empty(path, version=version)
    sample_gold.point(home, path.name)
    return path


def test_a_home_without_gold_has_none(tmp_path: Path) -> None:
    assert GoldReader(tmp_path).newest() is None


def test_gold_knows_its_version_and_its_days(tmp_path: Path) -> None:
    sample_gold.publish(tmp_path, 3, last_day=date(2026, 3, 1), days=2, to_load_id=50)

    gold = GoldReader(tmp_path).newest()

    assert gold is not None
    assert (gold.publication.version, gold.publication.to_load_id) == (3, 50)
    assert (gold.first_day, gold.last_day) == (date(2026, 2, 28), date(2026, 3, 1))


def test_whatever_is_asked_for_is_a_value_and_no_sql(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    gold = GoldReader(tmp_path).newest()
    assert gold is not None

    asked = "x' or ''='' -- $day \\' \N{PILE OF POO}"
    given = {"text": asked, "day": date(2026, 11, 24), "count": 5}

    found = gold.one("select $text as text, $day as day, $count as count", given)
    assert found == given


def test_a_question_for_more_than_its_memory_is_answered_from_disk_that_is_given_back(
    tmp_path: Path,
) -> None:
    def beside() -> list[str]:
        return [path.name for path in (tmp_path / "gold").iterdir() if path.suffix == ".tmp"]

    gold = open_gold(publish(tmp_path, 1))
    many = "select distinct 'a visitor with a long name ' || range as name from range(2_000_000)"

    assert gold.one(f"select count(*) as n from ({many})") == {"n": 2_000_000}

    assert beside() == [f"gold-00000001.duckdb.{os.getpid()}.tmp"]
    assert gold.one("select count(*) as n from duckdb_temporary_files()") == {"n": 0}
    del gold
    assert beside() == []


def test_no_question_reaches_other_files(tmp_path: Path) -> None:
    gold = open_gold(publish(tmp_path, 1))

    with pytest.raises(DamagedError, match="disabled by configuration"):
        gold.rows(f"select * from read_text('{tmp_path}/gold/current')")


def test_no_question_loads_pandas(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tidelake.dashboard import arrow, gold\n"
        "asked = gold.open_gold(Path(sys.argv[1])).rows('select $a as a, 1.5 as b', {'a': 'x'})\n"
        "arrow.table(asked); assert 'pandas' not in sys.modules"
    )

    subprocess.run([sys.executable, "-c", code, str(publish(tmp_path, 1))], check=True)


def test_rows_become_arrow_as_they_are() -> None:
    rows = [{"n": 1, "t": "ä"}, {"n": None, "t": None}, {"n": 2.5, "t": ""}] * 4

    assert arrow.table(rows).to_pylist() == rows


def test_a_version_is_opened_once_and_replaced_by_a_newer_one(tmp_path: Path) -> None:
    folder = GoldReader(tmp_path)
    publish(tmp_path, 1)
    first = folder.newest()
    assert folder.newest() is first

    publish(tmp_path, 2)

    newest = folder.newest()
    assert newest is not None
    assert newest.publication.version == 2


def test_a_page_that_is_drawn_from_a_removed_version_is_drawn_to_its_end(tmp_path: Path) -> None:
    folder = GoldReader(tmp_path)
    path = publish(tmp_path, 1)
    before = folder.newest()
    assert before is not None

    publish(tmp_path, 2)
    path.unlink()
    folder.newest()

    assert before.one("select version from gold.publication") == {"version": 1}


def test_a_version_removed_before_it_was_opened_is_looked_for_again(tmp_path: Path) -> None:
    publish(tmp_path, 2)

    class Late(GoldReader):
        """Reads the pointer once before the next publication."""

        asked = 0

        def named(self) -> str | None:
            Late.asked += 1
            return "gold-00000001.duckdb" if Late.asked == 1 else GoldReader.named(self)

    found = Late(tmp_path).newest()

    assert found is not None
    assert found.publication.version == 2


def test_a_damaged_file_is_told_and_the_last_good_one_kept(tmp_path: Path) -> None:
    folder = GoldReader(tmp_path)
    publish(tmp_path, 1)
    good = folder.newest()

    publish(tmp_path, 2).write_bytes(b"no database")

    assert folder.newest() is good
    assert "gold-00000002.duckdb can not be read" in folder.trouble
    publish(tmp_path, 3)
    assert folder.newest() is not good
    assert folder.trouble == ""


def test_without_a_good_one_the_damage_is_raised(tmp_path: Path) -> None:
    publish(tmp_path, 1).write_bytes(b"no database")

    with pytest.raises(DamagedError, match="gold-00000001"):
        GoldReader(tmp_path).newest()


def test_a_file_with_other_tables_is_of_another_version_of_tidelake(tmp_path: Path) -> None:
    (tmp_path / "gold").mkdir()
    with duckdb.connect(str(tmp_path / "gold" / "gold-00000001.duckdb")) as connection:
        connection.execute("create table other (a int)")
    sample_gold.point(tmp_path, "gold-00000001.duckdb")

    with pytest.raises(IncompatibleError, match="another version"):
        GoldReader(tmp_path).newest()


def test_gold_that_is_up_to_date_has_no_notice() -> None:
    waits = News(waiting_since=NOW - timedelta(seconds=STALE_AFTER_S - 1), waiting_loads=1)

    assert notices(SAID, News(), "", NOW) == []
    assert notices(SAID, waits, "", NOW) == []


def test_gold_is_stale_when_news_wait_too_long() -> None:
    news = News(waiting_since=NOW - timedelta(minutes=3), waiting_loads=12)

    (found,) = notices(SAID, news, "", NOW)

    assert found.kind == "warning"
    assert "3 min 00 s behind" in found.title
    assert "12 loads wait to be transformed since 24 Nov, 11:57:00 UTC" in found.detail
    assert "version 7, published 4 min 00 s ago" in found.detail


def test_a_failed_model_is_named_with_its_beginning() -> None:
    news = News(failed_model="silver.orders", trouble="no column x", trouble_since=NOW)

    (found,) = notices(SAID, news, "", NOW)

    assert found.kind == "trouble"
    assert found.title.startswith("The model silver.orders fails since 24 Nov, 12:00:00 UTC")
    assert "no column x" in found.detail
