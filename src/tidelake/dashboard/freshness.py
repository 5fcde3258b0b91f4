"""Whether what is shown is what there is: the sentences over a page when it is not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tidelake.dashboard import formats
from tidelake.dashboard.gold import GoldVersion
from tidelake.dashboard.live import AlertFact, News

STALE_AFTER_S = 120.0  # twelve times what news needs to come into gold when all is well


@dataclass(frozen=True, slots=True)
class Notice:
    """A banner: `kind` is info, warning or trouble."""

    kind: str
    title: str
    detail: str = ""


def notices(publication: GoldVersion, news: News, file_trouble: str, now: datetime) -> list[Notice]:
    """What is wrong with the gold that is shown, worst first; nothing while all is well."""
    age = formats.duration((now - publication.published_at).total_seconds())
    shown = f"Shown is version {publication.version}, published {age} ago"
    found: list[Notice] = []
    if file_trouble:
        found.append(
            Notice("trouble", "The newest gold file can not be read.", f"{file_trouble}. {shown}.")
        )
    said = news.trouble or publication.trouble
    if news.failed_model:
        since = f" since {_moment(news.trouble_since)}" if news.trouble_since else ""
        detail = f"{said}. {shown}." if said else f"{shown}."
        title = f"The model {news.failed_model} fails{since}: the last good figures are shown."
        found.append(Notice("trouble", title, detail))
    elif said:
        since = f" Since {_moment(news.trouble_since)}." if news.trouble_since else ""
        found.append(Notice("trouble", f"The transform is in trouble: {said}", f"{shown}.{since}"))
    if (waited := _waited(news, now)) > STALE_AFTER_S:
        title = f"These figures are {formats.duration(waited)} behind the pipeline."
        loads = "load waits" if news.waiting_loads == 1 else "loads wait"
        detail = (
            f"{formats.number(news.waiting_loads)} {loads} to be transformed since "
            f"{_moment(news.waiting_since)}. {shown}."
        )
        found.append(Notice("warning", title, detail))
    return found


def of_alert(alert: AlertFact) -> Notice:
    """An alert as a banner, as loud as it is severe."""
    kind = {"critical": "trouble", "warning": "warning"}.get(alert.severity, "info")
    since = f" Since {_moment(alert.since)}." if alert.since else ""
    title = f"{alert.severity.capitalize()} alert: {alert.name}"
    return Notice(kind, title, f"{alert.sentence}{since}")


def _waited(news: News, now: datetime) -> float:
    return (now - news.waiting_since).total_seconds() if news.waiting_since else 0.0


def _moment(at: datetime | None) -> str:
    return formats.NONE if at is None else f"{at.day} {at:%b, %H:%M:%S}{_zone(at)}"


def _zone(at: datetime) -> str:
    return f" {at:%Z}" if at.tzinfo else ""
