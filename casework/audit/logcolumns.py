"""A log in Parquet, judged a column at a time: the cases of which everything can be seen to be right are passed, and those of
which something is not are read entry by entry by :class:`~casework.audit.log.LogAudit`, which says what.

A file whose cases stand in ascending order, as casework writes them, is read as a stream; another is sorted in memory first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from casework.audit.check import Summary
from casework.audit.findings import Finding
from casework.audit.log import ROW, Entry, LogAudit
from casework.audit.logfile import NAMES, Columns, columns_of
from casework.audit.process import OPENING, Process
from casework.errors import InputError

#: Rows that are judged at once: so many that a call costs nothing, so few that they stay in the processor's cache.
BATCH = 1 << 16
_WORDS = ("trigger", "from", "to")
_TIMES = ("at", "recorded_at")
_TIME = pa.timestamp("us", "UTC")
#: The microseconds of the years 1 to 9999: of other times nobody can say the date.
_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999


class _NotInOrder(Exception):
    """The cases do not stand in ascending order."""


def audit_parquet(path: Path, process: Process, summary: Summary, *, fast: bool = True) -> list[Finding]:
    """What is wrong with the log, case by case. :class:`~casework.errors.InputError` for a file that is none.

    Without ``fast`` every entry is judged, which is what tests hold it against.
    """
    try:
        with pq.ParquetFile(path, read_dictionary=_words(path), pre_buffer=False) as file:
            columns = columns_of(file.schema_arrow.names, str(path))
            judge = _Judge(process, columns, fast=fast)
            try:
                found, counted = judge.findings(_in_order(file, columns, str(path)))
            except _NotInOrder:
                found, counted = judge.findings([_sorted(file, columns, str(path))])
    except (pa.ArrowException, OSError) as error:
        why = str(error).splitlines()[0][:120]
        raise InputError(f"cannot be read as Parquet ({why}); write it anew", f"无法作为 Parquet 读取（{why}）；请重新写出",
                         str(path)) from None
    summary.events += counted.events
    summary.cases += counted.cases
    return found


def _words(path: Path) -> list[str]:
    """The columns of few different texts, which are best read as numbers into a dictionary."""
    known = {said for name in _WORDS for said in NAMES[name]}
    return [field.name for field in pq.read_schema(path) if field.name in known and pa.types.is_string(field.type)]


class _Cases(NamedTuple):
    """The events of whole cases: their columns, whether each is the first of its case, and which rows of the file they are,
    from 0: all from ``rows`` on, or those.
    """

    table: Any
    first: Any
    rows: Any


def _in_order(file: Any, columns: Columns, name: str) -> Iterator[_Cases]:
    """The events as they stand in the file, cut between cases."""
    start, held = 0, None
    for batch in file.iter_batches(BATCH, columns=_kept(file, columns)):
        table = _typed(pa.table(batch), file, columns, name)
        table = table if held is None else pa.concat_tables([held, table]).combine_chunks()
        cases = table["case"].combine_chunks()
        first = _firsts(cases)
        heads = cases.filter(first)
        if heads.null_count or not pc.all(pc.less(heads[:-1], heads[1:]), min_count=0).as_py():
            raise _NotInOrder
        end = pc.index(cases, heads[-1]).as_py()
        if end:
            yield _Cases(table.slice(0, end), first[:end], start)
        start += end
        held = table.slice(end)
    if held is not None:
        yield _Cases(held, _firsts(held["case"].combine_chunks()), start)


def _sorted(file: Any, columns: Columns, name: str) -> _Cases:
    """All events, by case, those of a case in the order in which they stand in the file."""
    table = _typed(file.read(columns=_kept(file, columns)), file, columns, name)
    rows = pc.sort_indices(table["case"])
    table = table.take(rows).combine_chunks()
    return _Cases(table, _firsts(table["case"].combine_chunks()), rows)


def _kept(file: Any, columns: Columns) -> list[str]:
    return [file.schema_arrow.names[place] for place in columns.values() if place is not None]


def _typed(table: Any, file: Any, columns: Columns, name: str) -> Any:
    """The columns under our names and in our types."""
    made = {}
    for ours, place in columns.items():
        if place is not None:
            said = file.schema_arrow.names[place]
            made[ours] = _column(ours, table[said], f"{name}: {said}")
    return pa.table(made)


def _column(ours: str, column: Any, where: str) -> Any:
    kind = column.type
    if ours in _TIMES:
        if pa.types.is_timestamp(kind):
            return _within(column).cast(_TIME, safe=False)
        if not pa.types.is_string(kind):
            raise InputError(f"holds {kind}, not times; write timestamps or ISO 8601 text",
                             f"类型为 {kind}，不是时间；请写时间戳或 ISO 8601 文字", where)
    elif ours == "version" and pa.types.is_integer(kind):
        return pc.min_element_wise(column, pa.scalar(2**63 - 1, kind)).cast(pa.int64()) if kind == pa.uint64() else column.cast(
            pa.int64())
    elif ours in _WORDS:
        column = column if pa.types.is_dictionary(kind) else column.cast(pa.string()).dictionary_encode()
        return column if column.type.value_type == pa.string() else column.cast(pa.string()).dictionary_encode()
    return column if kind == pa.string() else column.cast(pa.string())


def _within(column: Any) -> Any:
    """Times that no other unit can hold are none: cast, they would come out as others."""
    unit = {"s": 10**6, "ms": 10**3}.get(column.type.unit)
    if unit is None:
        return column
    said = column.cast(pa.int64())
    inside = pc.and_(pc.greater_equal(said, _FIRST // unit), pc.less_equal(said, _LAST // unit))
    return pc.if_else(inside, column, pa.scalar(None, column.type))


class _Judge:
    """Holds tables of whole cases against a lifecycle."""

    def __init__(self, process: Process, columns: Columns, *, fast: bool) -> None:
        self._process = process
        self._with_states = columns["from"] is not None
        self._fast = fast
        # 0 is for nothing, and what is past the last for a word that the lifecycle has not.
        self._states = {state: number for number, state in enumerate(["", *sorted(process.states)])}
        self._triggers = {name: number for number, name in enumerate(["", *sorted(process.triggers | process.beside)])}
        self._width = len(self._triggers) + 1
        self._begin = self._states[process.initial]
        self._due = pa.array(self._edges(), pa.int16())
        self._walk = self._automaton()

    def findings(self, parts: Iterable[_Cases]) -> tuple[list[Finding], Summary]:
        """What is wrong with the events, and how many they are."""
        found: list[Finding] = []
        summary = Summary()
        for part in parts:
            named = pc.fill_null(pc.greater(pc.binary_length(part.table["case"].combine_chunks()), 0), False)
            summary.events += part.table.num_rows
            summary.cases += pc.and_(part.first, named).true_count
            wrong = self._suspects(part.table, part.first, named) if self._fast else pa.array([True] * part.table.num_rows)
            if pc.any(wrong).as_py():
                entries = LogAudit(self._process, Summary(), with_states=self._with_states, unit=ROW, fast=self._fast)
                found += entries.findings(_entries(part, pc.indices_nonzero(wrong)))
        return found, summary

    def _suspects(self, table: Any, first: Any, named: Any) -> Any:
        """Which are the events of the cases of which it cannot be seen that everything is right."""
        if any(name in table.column_names and pa.types.is_string(table.schema.field(name).type) for name in (*_TIMES, "version")):
            return pa.array([True] * table.num_rows)  # texts are read where they are judged
        checks = [named, self._lawful(table, first), _after_the_last(table["at"], first)]
        if "recorded_at" in table.column_names:
            checks += [_after_the_last(table["recorded_at"], first), pc.less_equal(table["at"], table["recorded_at"])]
        if "version" in table.column_names:
            version = table["version"].combine_chunks()
            checks.append(pc.equal(version, pc.add(pc.if_else(first, 0, _before(version)), 1)))
        right = pc.fill_null(reduce(pc.and_, checks), False)
        wrong = pc.invert(right)
        if not pc.any(wrong).as_py():
            return wrong
        cases = table["case"].combine_chunks()
        return pc.or_(wrong, pc.is_in(cases, pc.unique(cases.filter(wrong))))

    def _lawful(self, table: Any, first: Any) -> Any:
        """Whether each event is a step that the lifecycle has where its case stands, or one that moves nothing."""
        trigger = _codes(table["trigger"], self._triggers)
        if not self._with_states:
            keys = pc.if_else(first, pc.add(trigger, self._width), trigger).cast(pa.int32())
            at, flat = 0, self._walk
            numbers = memoryview(keys.buffers()[1]).cast("i")[keys.offset:keys.offset + len(keys)]
            places = [at := flat[at + key] for key in numbers]
            return pc.greater_equal(pa.array(places, pa.int32()), 2 * self._width)
        source, to = _codes(table["from"], self._states), _codes(table["to"], self._states)
        due = self._due.take(pc.add(pc.multiply(source, self._width), trigger))
        # Behind an event that moves nothing, a case stands where the event before left it.
        after = pc.if_else(pc.equal(to, 0), pc.if_else(first, self._begin, None), to)
        before = pc.if_else(first, self._begin, _before(pc.fill_null_forward(after)))
        return pc.and_(pc.equal(due, to), pc.or_(pc.equal(source, 0), pc.equal(source, before)))

    def _leads(self, state: str, trigger: str) -> int:
        """The number of the state to which a step leads; 0 where there is no such step."""
        return self._states[self._process.steps.get(state, {}).get(trigger, "")]

    def _edges(self) -> list[int]:
        """By state and trigger: where the step leads, -1 where there is none; an event without both leads nowhere, lawfully."""
        due = [self._leads(state, trigger) or -1 for state in (*self._states, "") for trigger in (*self._triggers, "")]
        due[0] = 0
        return due

    def _automaton(self) -> list[int]:
        """By place and trigger (and, of a case's first event, the trigger past all others): the next place.

        A place is a row of this list, that of a state, or the first for a case that has left the lifecycle.
        """
        wide, names, beside, initial = 2 * self._width, (*self._triggers, ""), self._process.beside, self._process.initial
        flat: list[int] = []
        for state, number in self._states.items():
            stays = wide * number
            flat += [(0 if name == OPENING else stays) if name in beside else wide * self._leads(state, name) for name in names]
            flat += [wide * (self._begin if name in beside else self._leads(initial, name)) for name in names]
        return flat


def _codes(column: Any, numbers: dict[str, int]) -> Any:
    """The texts of a dictionary column as numbers; 0 for none."""
    column = column.combine_chunks()
    known = [numbers.get(word or "", len(numbers)) for word in column.dictionary.to_pylist()]
    return pc.fill_null(pa.array(known, pa.int16()).take(column.indices), 0)


def _firsts(cases: Any) -> Any:
    """Whether each event is the first of its case."""
    return pa.concat_arrays([pa.array([True]), pc.fill_null(pc.not_equal(cases[1:], cases[:-1]), True)])


def _before(values: Any) -> Any:
    """The value of the event before; for the first, before which there is none, its own."""
    return pa.concat_arrays([values[:1], values[:-1]])


def _after_the_last(times: Any, first: Any) -> Any:
    """Whether each time is one, and not before that of the case's event before it."""
    said = times.combine_chunks().cast(pa.int64())
    ends = pc.min_max(said)
    within = ends["min"].as_py() is None or (ends["min"].as_py() >= _FIRST and ends["max"].as_py() <= _LAST)
    ordered = pc.or_(first, pc.greater_equal(said, _before(said)))
    ordered = pc.and_(ordered, pc.is_valid(said))
    return ordered if within else pc.and_(ordered, pc.and_(pc.greater_equal(said, _FIRST), pc.less_equal(said, _LAST)))


def _entries(part: _Cases, places: Any) -> Iterator[Entry]:
    """The events at those places, as they are judged one by one; their lines are the rows of the file, from 1."""
    lines = pc.add(places, part.rows + 1) if isinstance(part.rows, int) else pc.add(part.rows.take(places), 1)
    table = part.table.take(places)
    nothing = [None] * table.num_rows
    made = [_listed(table[name]) if name in table.column_names else nothing for name in NAMES]
    return zip(lines.to_pylist(), *made, strict=True)


def _listed(column: Any) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        said = column.cast(pa.int64())
        column = pc.if_else(pc.and_(pc.greater_equal(said, _FIRST), pc.less_equal(said, _LAST)), column, None)
    listed: list[Any] = column.to_pylist()
    return listed
