"""Primary keys: UUID version 7 (RFC 9562, section 5.7): rows of several cells can be merged and still sort by time."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_key() -> UUID:
    """Return a new UUIDv7; keys made by one process only grow."""
    return uuid7()
