"""Care: compaction, tags, expiry and removal of files, off the commit path."""

from tidelake.lake.care.run import Carer, TableReport, care_once

__all__ = ["Carer", "TableReport", "care_once"]
