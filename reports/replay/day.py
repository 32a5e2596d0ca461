"""What every step of a simulated day needs to know and is told by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from parts.actors import Actor
from reports.replay.dice import Dice
from reports.replay.plan import Itinerary, moment
from reports.replay.world import World

ACTOR = Actor.system("replay")
SOURCE = "replay"


@dataclass(frozen=True, slots=True)
class Stage:
    """The world a replay plays in, with all that is going to happen by itself."""

    world: World
    dice: Dice
    plan: Itinerary


def told(at: datetime) -> dict[str, Any]:
    """Return who, from where and when, as every action wants it."""
    return {"by": ACTOR, "source": SOURCE, "at": at}


def told_at(day: date, hour: int, minute: int = 0) -> dict[str, Any]:
    """Return the same for an hour of a simulated day, UTC."""
    return told(moment(day, hour, minute))
