"""The people of the demo, in one place: who they are and how they log in.

They exist only where `BACKLINE_DEMO` is set, which production refuses: the password is public.
"""

from dataclasses import dataclass

PASSWORD = "demo"  # noqa: S105 - public on purpose


@dataclass(frozen=True)
class Person:
    """Someone who logs in to the demo, and what they come for."""

    username: str
    role: str
    comes_to: str


PEOPLE = (
    Person("manager", "Parts manager", "see ageing back orders, override with a reason, run allocations"),
    Person("deputy", "Parts manager", "consent to what the other asks for, approve changes of controlled parts"),
    Person("dispatcher", "Dispatcher", "place and move orders, see who waits for what"),
    Person("technician", "Technician", "claim, advance, confirm"),
    Person("auditor", "Auditor", "read everything, change nothing"),
    Person("partner", "Partner", "see their own orders only"),
    Person("admin", "Administrator", "set up people, roles and rules"),
)
