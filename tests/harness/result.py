"""What a trial came to, in one shape for all of them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Result:
    """Figure ``figure`` of the list of figures, tried ``count`` times of ``wanted`` with ``seed``; ``counts`` says what happened,
    ``problems`` what should not have.
    """

    figure: str
    wanted: int
    seed: int
    count: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def reached(self) -> bool:
        """Whether it was tried as often as was wanted, and nothing was wrong."""
        return self.count >= self.wanted and not self.problems

    def add(self, **counts: int) -> None:
        """Count these."""
        for name, number in counts.items():
            self.counts[name] = self.counts.get(name, 0) + number
