"""Refusals of floor 2, each with its stable code."""

from parts.errors import Refused
from parts.sentences import sentence


class PreviewIsOld(Refused):
    """What was shown before the decision does not hold any more; nothing was changed. Look again, then decide."""

    code = "preview_is_old"

    def __init__(self) -> None:
        super().__init__(
            sentence("The queue has changed since this was shown, so nothing was done. This is how it stands now.")
        )
