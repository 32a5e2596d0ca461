"""Chance that can be repeated: a draw depends on the seed and on what it is for, and on nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from itertools import accumulate
from typing import TypeVar

T = TypeVar("T")
_STEPS = 1 << 64


class Dice:
    """Draws for one seed. The same words give the same number on every machine, in any order, after any restart."""

    def __init__(self, seed: int) -> None:
        self._key = str(seed).encode()

    def share(self, *words: object) -> float:
        """Return a number from 0 up to, not including, 1."""
        text = "/".join(str(word) for word in words).encode()
        return int.from_bytes(blake2b(text, digest_size=8, key=self._key).digest()) / _STEPS

    def whole(self, low: int, high: int, *words: object) -> int:
        """Return a whole number from `low` to `high`, both included."""
        return low + int(self.share(*words) * (high - low + 1))

    def happens(self, probability: float, *words: object) -> bool:
        """Tell whether something of this probability happens."""
        return self.share(*words) < probability

    def choose(self, options: Sequence[T], *words: object, weights: Sequence[float] | None = None) -> T:
        """Return one of the options, each as likely as its weight says (all alike without weights)."""
        if weights is None:
            return options[int(self.share(*words) * len(options))]
        sums = list(accumulate(weights))
        point = self.share(*words) * sums[-1]
        return next(option for option, end in zip(options, sums, strict=True) if point < end)
