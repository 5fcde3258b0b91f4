"""Raw records become events and rejected events: decode, validate, flatten, enrich; pure.

process     a batch becomes two tables
fast/       decoder of native records for the usual case; may only accept
judge       the steps of one record, and its verdict, which is final
formats/    what each wire format states, in the words of the contract
text, clock, columns, items, agent      one kind of value each
"""

from tidelake.process.countries import MaxMindCountries
from tidelake.process.judge import Accepted, Rejected, judge
from tidelake.process.rules import CountryLookup, Rules
from tidelake.process.stage import process, refuse
from tidelake.process.statement import Context, Received

__all__ = [
    "Accepted",
    "Context",
    "CountryLookup",
    "MaxMindCountries",
    "Received",
    "Rejected",
    "Rules",
    "judge",
    "process",
    "refuse",
]
