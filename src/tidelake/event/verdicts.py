"""What can be wrong with a record: closed lists of reasons (rejected) and flags (kept)."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why a record is in `rejected_events`."""

    NOT_UTF8 = "not_utf8"  # bytes that are not UTF-8
    BYTE_ORDER_MARK = "byte_order_mark"  # starts with a BOM
    NOT_JSON = "not_json"  # not one whole JSON value (cut, NaN, trailing text)
    NOT_AN_OBJECT = "not_an_object"  # JSON, but not an object
    TOO_DEEP = "too_deep"  # nested deeper than 128
    TOO_LARGE = "too_large"  # over the limit for one event
    MISSING_FIELD = "missing_field"  # a required field is absent, null or empty
    WRONG_TYPE = "wrong_type"  # a required field has another type
    TOO_LONG = "too_long"  # an id over 256 bytes of UTF-8
    BAD_TIMESTAMP = "bad_timestamp"  # neither RFC 3339 / ISO 8601 nor epoch seconds or milliseconds
    TOO_EARLY = "too_early"  # further before received_at than the limit
    TOO_LATE = "too_late"  # further after received_at than the limit
    UNKNOWN_MESSAGE = "unknown_message"  # a foreign format's message of no known kind
    UNPROCESSABLE = "unprocessable"  # tidelake itself failed on it: replay it after an update
    DAMAGED_FRAME = "damaged_frame"  # records lost in a damaged inbox frame


class Flag(StrEnum):
    """What was not as it should be in an accepted event.

    A flag about one column is written `flag:column`, e.g. `wrong_type:order_total`.
    """

    WRONG_TYPE = "wrong_type"  # an optional field of another type: the column is null
    REPLACED_TEXT = "replaced_text"  # U+0000 or a lone surrogate became U+FFFD in the column
    UNKNOWN_TYPE = "unknown_type"  # the event type is not in the registry
    NO_TIMESTAMP = "no_timestamp"  # the client stated no time: received_at stands in
    CLOCK_CORRECTED = "clock_corrected"  # event_time was moved by the client's clock error
    CLOCK_IGNORED = "clock_ignored"  # sentAt was too absurd to correct by
    BOT = "bot"  # the user agent names itself a bot

    def of(self, column: str) -> str:
        return f"{self.value}:{column}"


MAX_DEPTH = 128
MAX_ID_BYTES = 256
ID_COLUMNS = ("event_id", "user_id", "anonymous_id", "previous_id", "group_id")
