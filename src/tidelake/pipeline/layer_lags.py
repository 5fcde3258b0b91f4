"""The lag of every layer, from the ledgers; what `status`, the monitor and the alerts show."""

from __future__ import annotations

from dataclasses import dataclass

from tidelake.observe.layer_lag import Gold, Lag
from tidelake.warehouse.lag import Behind, Lags, lags
from tidelake.warehouse.session import Connection


@dataclass(frozen=True, slots=True)
class LayerLags:
    """Raw, silver and gold; `gold` is None where none is published."""

    lags: tuple[Lag, ...]
    gold: Gold | None
    ledgers: Lags


def layer_lags(connection: Connection) -> LayerLags:
    """One query; raises psycopg's errors."""
    found = lags(connection)
    gold = None
    if found.gold_version is not None and found.gold_load_id is not None:
        gold = Gold(found.gold_version, found.gold_load_id, found.gold_age_s or 0.0)
    layers = (
        _lag("raw", "commits", found, found.raw),
        _lag("silver", "loads", found, found.silver),
        _lag("gold", "loads", found, found.gold),
    )
    return LayerLags(layers, gold, found)


def _lag(layer: str, what: str, found: Lags, behind: Behind) -> Lag:
    return Lag(layer, behind.units, what, behind.rows, found.seconds(behind))
