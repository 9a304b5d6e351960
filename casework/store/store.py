"""A store of cases on the event-sourcing library: our codec, our recorder, no environment, no snapshots."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from types import TracebackType
from typing import Any, Self, cast

from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.persistence import InfrastructureFactory, IntegrityError, Mapper, StoredEvent
from eventsourcing.popo import Factory
from eventsourcing.utils import Environment, EnvType

from casework.domain.case import Case
from casework.domain.events import Event
from casework.domain.standing.aggregate import Standing
from casework.domain.standing.events import stream_of
from casework.domain.topics import AnyEvent, any_topic_of
from casework.errors import StoreBusy, UnknownCase
from casework.store import codec
from casework.store.contract import Reader, Recorder
from casework.store.dues import microseconds, running
from casework.store.ledger.journal import Journal
from casework.store.ledger.ledger import NONE, OUTSIDE, by_stream
from casework.store.ledger.note import Signer
from casework.store.row import DueRow, Row
from casework.store.stored import StoredCaseEvent, to_row

#: What reading events raises that somebody altered past the commands.
_ALTERED = (codec.Unreadable, KeyError, ValueError, AttributeError, AssertionError, TypeError)


#: More events than the longest story has.
_REMEMBERED = 1024


class VersionTaken(StoreBusy):
    """Somebody else recorded that version of the case in the meantime: load again and ask again."""


class CaseMapper(Mapper[str]):
    """Between events and stored events, by the codec; nothing is resolved by its topic."""

    def __init__(self, *, remembers: bool) -> None:
        """No transcoder, compressor or cipher: the codec is all of it.

        ``remembers`` is for a store in memory, which hands out the very same bytes whenever a case is loaded.
        """
        self._decode = lru_cache(_REMEMBERED)(codec.decode) if remembers else codec.decode

    def to_stored_event(self, domain_event: Any) -> StoredCaseEvent:
        """The stored event, with its hot columns."""
        return stored(domain_event)

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """The event. :class:`~casework.store.codec.Unreadable` where the bytes are none."""
        return self._decode(stored_event.topic, stored_event.state)


class Cases(Application[str]):
    """The library's application over our recorder. It is given no environment, so that none can switch the store."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        super().__init__()

    def construct_env(self, name: str, env: EnvType | None = None) -> Environment:
        """An empty one."""
        return Environment(name, {})

    def construct_factory(self, env: Environment) -> InfrastructureFactory[Any]:
        """The library's plain factory; what matters is constructed here."""
        return Factory(env)

    def construct_mapper(self) -> Mapper[str]:
        """Our codec."""
        return CaseMapper(remembers=not self._recorder.kept)

    def construct_recorder(self) -> Any:
        """The recorder of the store."""
        return self._recorder


class Store:
    """Cases by id. Get, carry on and save between ``with store.writing():``, so that one writer at a time decides."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._cases = Cases(recorder)

    @property
    def journal(self) -> Journal | None:
        """The journal outside the store, where there is one."""
        return self._recorder.journal

    @property
    def name(self) -> str:
        """What people are told of which store it is; it holds no secret."""
        return self._recorder.name

    @property
    def kept(self) -> bool:
        """Whether it outlives the process, and so has a ledger and a :meth:`reader`."""
        return self._recorder.kept

    @property
    def path(self) -> str | None:
        """The file that keeps it; None where none does."""
        return self._recorder.path

    @property
    def attempts(self) -> int:
        """How often a command is decided anew because another writer was faster."""
        return self._recorder.attempts

    def writing(self) -> AbstractContextManager[object]:
        """What is held around load, decide and save. :class:`~casework.errors.StoreBusy` if another holds it for too long."""
        return self._recorder.writing()

    def reader(self) -> AbstractContextManager[Reader]:
        """A reader of the same store."""
        return self._recorder.reader()

    def get(self, case_id: str) -> Case:
        """The case as recorded. :class:`~casework.errors.UnknownCase`, :class:`~casework.store.codec.Unreadable`."""
        with self._said():
            try:
                return cast(Case, self._cases.repository.get(case_id, projector_func=cast(Any, Case.from_events)))
            except (AggregateNotFoundError, UnicodeEncodeError):  # no store holds an id that is not text
                raise unknown_case(case_id) from None
            except _ALTERED as error:
                raise _unreadable(f"case '{case_id}'", f"案件“{case_id}”", error) from None

    def standing(self, merchant: str) -> Standing:
        """A merchant's standing as recorded; of one of whom nothing is, an empty one. Raises as :meth:`get`."""
        with self._said():
            try:
                found = self._cases.repository.get(stream_of(merchant), projector_func=cast(Any, Standing.from_events))
            except (AggregateNotFoundError, UnicodeEncodeError):
                return Standing.of(merchant)
            except _ALTERED as error:
                raise _unreadable(f"merchant '{merchant}'", f"商家“{merchant}”", error) from None
            return cast(Standing, found)

    def save(self, *decided: Case | Standing) -> None:
        """Record what was decided, all of it in one transaction or nothing; when this returns, it survives a power cut.

        Every event is proved to survive the codec first, because the library forgets what was pending when storing fails.
        After any error the objects are spent: get them again. :class:`VersionTaken` if another writer was faster.
        """
        for each in decided:
            for event in each.pending_events:
                codec.encode(cast(AnyEvent, event))
        with self._said():
            try:
                self._cases.save(*decided)
            except IntegrityError:
                raise _taken(decided[0].id) from None
            self._recorder.acknowledge()

    def settle(self) -> None:
        """Make what is recorded survive a power cut, also where whoever recorded it was killed before he knew that it does.

        For whoever acknowledges a command that was recorded before. :class:`~casework.errors.JournalError` where the store is not
        what the journal has signed: that is not signed on.
        """
        with self._said():
            self._recorder.settle()

    def renew_ledger(self, origin: str, journal: Journal | None, renewed: str) -> None:
        """Begin the ledger anew under another origin, over all that is recorded; ``renewed`` says of which, when and why, and
        stays.

        For a store that was made before there were ledgers, whose key or journal is lost, or of which an old copy had to be put
        back.
        """
        meta = {"origin": origin, "journal": OUTSIDE if journal else NONE, "renewed": renewed}
        with self._said():
            self._recorder.renew(meta, journal)
            self._recorder.acknowledge()

    def rotate_key(self, seed: bytes) -> Signer:
        """From here on the key of that seed signs, and the present one signs that. The new signer."""
        with self._said():
            return self._recorder.rotate(seed)

    def adopt(self, rows: Sequence[Row], *standings: Standing) -> None:
        """Record these rows as they are, and what the standings decided, all or nothing.

        :class:`VersionTaken` if one of the rows is there already, or another writer was faster.
        """
        decided = [to_row(stored(cast(AnyEvent, event))) for standing in standings for event in standing.pending_events]
        self.append_many(by_stream([*rows, *decided]))

    def append_many(self, commits: Sequence[Sequence[Row]]) -> None:
        """Record many rows as they are, all or nothing and at the price of one command: what was decided or recorded elsewhere.

        Each of ``commits`` is of one stream, by version, and is a leaf of the ledger. :class:`VersionTaken` if one of the rows is
        there already.
        """
        with self._said():
            try:
                self._recorder.append_many(commits)
            except IntegrityError:
                raise _taken(commits[0][0].case) from None
            self._recorder.acknowledge()

    def rows(self, case_id: str | None = None) -> Iterator[Row]:
        """The stored rows, by case and version, as of now."""
        with self.reader() as reader:
            yield from reader.rows(case_id)

    def events(self, case_id: str) -> Iterator[Event]:
        """The events of a case. :class:`~casework.store.codec.Unreadable` at one that cannot be read."""
        return (cast(Event, codec.decode(row.topic, row.payload)) for row in self.rows(case_id))

    def has(self, case_id: str) -> bool:
        """Whether anything is recorded of that case."""
        with self.reader() as reader:
            return reader.has(case_id)

    def streams(self) -> list[str]:
        """The ids of all cases and merchants' standings, sorted."""
        with self.reader() as reader:
            return reader.case_ids()

    def dues(self, before: datetime | None = None, provisional_before: datetime | None = None) -> list[DueRow]:
        """The running duties due before that time (None: all), by due time, and the provisional ones before another."""
        limit = None if before is None else microseconds(before)
        horizon = 0 if provisional_before is None else microseconds(provisional_before)
        with self.reader() as reader:
            return reader.dues(limit, horizon)

    def rebuild_dues(self) -> int:
        """Make the index of running duties anew from the events, all or nothing; how many there are.

        Of a case that cannot be read the index stays as it is, so that it goes on being told of.
        """
        kept, found = self.dues(), []
        for case, rows in groupby(self.rows(), key=lambda row: row.case):
            here = list(rows)
            found += running(here) if all(map(codec.is_readable, here)) else [d for d in kept if d.case == case]
        with self._said():
            self._recorder.rebuild_index(found)
        return len(found)

    def close(self) -> None:
        """Close all connections."""
        self._recorder.close()
        self._cases.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @contextmanager
    def _said(self) -> Iterator[None]:
        """Errors of the library and of the database become ours, in both languages."""
        try:
            yield
        except Exception as error:
            if (told := self._recorder.said(error)) is None:
                raise
            raise told from error


def stored(event: AnyEvent) -> StoredCaseEvent:
    """The event as it is stored: canonical bytes, and the columns that can be asked without opening them."""
    return StoredCaseEvent(
        originator_id=event.originator_id,
        originator_version=event.originator_version,
        topic=any_topic_of(type(event)),
        state=codec.encode(event),
        trigger=event.trigger,
        from_state=event.from_state,
        to_state=event.to_state,
        at=microseconds(event.at),
        recorded_at=microseconds(event.recorded_at),
    )


def unknown_case(case_id: str) -> UnknownCase:
    """There is no such case, and what to do."""
    return UnknownCase(f"no case '{case_id}' in the store; see them with: casework list",
                       f"案件库中没有案件“{case_id}”；用 casework list 查看")


def _unreadable(name: str, zh_name: str, error: Exception) -> codec.Unreadable:
    """An event cannot be read, or does not fit those before it: somebody altered it past the commands."""
    en, zh = (error.en, error.zh) if isinstance(error, codec.Unreadable) else (str(error), str(error))
    return codec.Unreadable(f"{name} cannot be read; run: casework audit ({en})",
                            f"{zh_name}无法读取；请运行 casework audit（{zh}）")


def _taken(case_id: str) -> VersionTaken:
    return VersionTaken(f"somebody else wrote to case '{case_id}' at the same moment; try again",
                        f"案件“{case_id}”同时被他人写入，请重试")
