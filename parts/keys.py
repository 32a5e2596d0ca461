"""Primary keys: UUID version 7 (RFC 9562, section 5.7): rows of several cells can be merged and still sort by time."""

from datetime import datetime
from uuid import UUID, uuid5

from uuid_utils.compat import uuid7


def new_key() -> UUID:
    """Return a new UUIDv7; keys made by one process only grow."""
    return uuid7()


def key_at(moment: datetime, namespace: UUID, name: str) -> UUID:
    """Return the one UUIDv7 that a name has at a moment: the same each time, and sorting by the moment.

    For what must get the same key again when it is done again, such as an order of a replay. The bits beside the time
    are those of the UUIDv5 of the name. Raises ValueError for a moment before 1970.
    """
    milliseconds = int(moment.timestamp() * 1000)
    if milliseconds < 0:
        raise ValueError("A UUIDv7 tells a time from 1970 on.")
    rest = uuid5(namespace, name).int & ~(0xFFFFFFFFFFFF << 80 | 0xF << 76 | 0b11 << 62)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62 | rest)
