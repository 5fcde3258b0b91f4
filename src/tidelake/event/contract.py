"""A table's contract: its fields, those of the list and those that a user evolved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from tidelake.errors import UsageError
from tidelake.event.fields import EVENT_FIELDS, REJECTED_FIELDS, Field


@dataclass(frozen=True)
class Contract:
    """The fields of one Iceberg table, in column order; iterates over them."""

    table: str
    fields: tuple[Field, ...]
    partition_by: str  # column whose UTC day partitions the table
    meaning: str

    def __hash__(self) -> int:
        # Schemas and decoders are cached by contract; hashing every field costs 15 µs a look-up.
        return hash((self.table, self.names))

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)

    def __getitem__(self, name: str) -> Field:
        try:
            return self.by_name[name]
        except KeyError:
            raise UsageError(
                f"{self.table} has no column {name!r}",
                hint="`tidelake schema show` lists the columns.",
            ) from None

    @cached_property
    def by_name(self) -> dict[str, Field]:
        return {field.name: field for field in self.fields}

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    @cached_property
    def sent_fields(self) -> tuple[Field, ...]:
        """Fields that are read from a path in a native record."""
        return tuple(field for field in self.fields if field.path)

    def with_fields(self, evolved: tuple[Field, ...]) -> Contract:
        """The contract with columns that a user added (`tidelake lake evolve`)."""
        for extra in evolved:
            if extra.name in self.by_name:
                raise UsageError(
                    f"{self.table} already has a column {extra.name!r}",
                    hint="Choose another name with --as.",
                )
        return Contract(self.table, self.fields + evolved, self.partition_by, self.meaning)


EVENTS = Contract(
    table="events",
    fields=EVENT_FIELDS,
    partition_by="event_time",
    meaning="One row per accepted record; a client's repeats are rows that share an event_key.",
)

REJECTED = Contract(
    table="rejected_events",
    fields=REJECTED_FIELDS,
    partition_by="received_at",
    meaning="One row per record that could not become an event, with the reason and its bytes.",
)
