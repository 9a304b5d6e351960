"""The one error tree of casework.

    CaseworkError                 everything a caller may have to handle; carries zh and en
    ├── InputError                a file or a value that cannot be used: where, what, remedy (status 2)
    ├── UnknownCase               no case of that id in the store (status 2)
    ├── CalendarUnknown           a date beyond the published working-day calendar (status 2)
    ├── StoreError                the store cannot be opened, read or written (status 2)
    │   ├── StoreMissing          nothing there, and the command does not create stores
    │   ├── NotAStore             there is a file, but it is no casework store
    │   ├── StoreBusy             another process held the writer's lock for too long
    │   └── JournalError          the journal outside the store is missing, cannot be written or contradicts the store
    │       └── NotAcknowledged   recorded, but its checkpoint is not in the journal: give the same command again
    ├── EngineError               the processes or the cluster that an audit was to run on cannot do it (status 2)
    ├── Refused                   the lifecycle or a rule says no: all reasons at once (status 1)
    └── Conflict                  what is recorded differs from what was to be recorded (status 1)

``status`` is the exit status that the command line gives: 1 the question was understood and the answer is no,
2 the question could not be put.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple


class CaseworkError(Exception):
    """Root of the tree: one sentence in English and one in Chinese, and the exit status of the command line."""

    status = 2

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en = en
        self.zh = zh

    def __reduce__(self) -> tuple[Any, ...]:
        """As it is, also from another process."""
        return type(self).__new__, (type(self), *self.args), self.__dict__

    def text(self, lang: str) -> str:
        """The sentence in ``lang`` (``"zh"`` or ``"en"``)."""
        return self.zh if lang == "zh" else self.en


class InputError(CaseworkError):
    """A file or a value that cannot be used. ``where`` is ``FILE``, ``FILE:LINE`` or the name of an option."""

    def __init__(self, en: str, zh: str, where: str = "") -> None:
        super().__init__(f"{where}: {en}" if where else en, f"{where}：{zh}" if where else zh)
        self.bare_en = en
        self.bare_zh = zh
        self.where = where

    def at(self, where: str) -> InputError:
        """The same error, said of another place."""
        return InputError(self.bare_en, self.bare_zh, where)


class UnknownCase(CaseworkError):
    """No case of that id in the store."""


class CalendarUnknown(CaseworkError):
    """The working-day calendar of that year is not published yet: the deadline cannot be computed for good."""


class StoreError(CaseworkError):
    """The store cannot be opened, read or written."""


class StoreMissing(StoreError):
    """There is no store at that place, and the command does not create one."""


class NotAStore(StoreError):
    """There is something at that place, but it is no casework store."""


class StoreBusy(StoreError):
    """Another process held the writer's lock for longer than this one was willing to wait."""


class JournalError(StoreError):
    """The journal outside the store is missing, cannot be written, or says what the store contradicts."""


class NotAcknowledged(JournalError):
    """The command is recorded, but its checkpoint is not in the journal yet; given again under the same id it is acknowledged."""


class EngineError(CaseworkError):
    """The processes or the cluster that an audit was to run on are not there, or were lost."""


class Reason(NamedTuple):
    """Why a command is refused: a stable code, a sentence in zh and en, the clause it rests on, what is missing."""

    code: str
    zh: str
    en: str
    clause: str = ""
    missing: tuple[str, ...] = ()

    def text(self, lang: str) -> str:
        """The sentence in ``lang`` (``"zh"`` or ``"en"``)."""
        return self.zh if lang == "zh" else self.en


class Permitted(NamedTuple):
    """What may be done instead, in the same state, by the one who asked and by others."""

    yours: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


class Refused(CaseworkError):
    """A command that the lifecycle or the rules do not allow; nothing was recorded.

    ``reasons`` holds every reason, sorted by code, none twice.
    """

    status = 1

    def __init__(self, trigger: str, state: str, reasons: Sequence[Reason],
                 permitted: Permitted | Callable[[], Permitted]) -> None:
        self.trigger = trigger
        self.state = state
        self.reasons = tuple(sorted({r.code: r for r in reasons}.values(), key=lambda r: r.code))
        self._permitted = permitted
        super().__init__(
            f"{trigger} refused in state {state}: " + "; ".join(f"[{r.code}] {r.en}" for r in self.reasons),
            f"在状态 {state} 下不能 {trigger}：" + "；".join(f"[{r.code}] {r.zh}" for r in self.reasons),
        )

    @property
    def permitted(self) -> Permitted:
        """What is allowed instead; worked out when it is first asked for, of what was known when it was refused."""
        if not isinstance(self._permitted, Permitted):
            self._permitted = self._permitted()
        return self._permitted

    @property
    def codes(self) -> list[str]:
        """The sorted codes of all reasons."""
        return [r.code for r in self.reasons]


class Conflict(CaseworkError):
    """What is recorded already differs from what was to be recorded under the same name; nothing was changed."""

    status = 1
