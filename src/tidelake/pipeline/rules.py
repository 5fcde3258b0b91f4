"""The rules that `process` judges by, from the settings."""

from __future__ import annotations

from tidelake.event import registry
from tidelake.process import MaxMindCountries, Rules
from tidelake.settings import Settings

HOUR_US = 3_600_000_000


def rules_of(settings: Settings, max_age_days: float | None = None) -> Rules:
    """Limits and registries; `max_age_days` widens the oldest time that is taken (`--since`)."""
    days = settings.process.max_age_days if max_age_days is None else max_age_days
    countries = settings.process.geo_database
    return Rules(
        max_ahead=int(settings.process.max_ahead_h * HOUR_US),
        max_age=int(days * 24 * HOUR_US),
        max_event_bytes=settings.collect.max_event_bytes,
        registry=registry.load(settings.process.event_types),
        country=None if countries is None else MaxMindCountries(countries),
    )
