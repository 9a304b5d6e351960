"""Given, when, then for the command line: in this process where it can be, in a real one where it must.

    casework("show", "K-1", "--json").document()
    casework("show", "K-9").fails("no case 'K-9'")

Whatever is run, its status is 0, 1 or 2, there is no traceback, and no byte of it steers a terminal.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from harness import engines
from harness.engines import connect

from casework.cli.main import run

ROOT = Path(__file__).parent.parent
SCENARIOS = ROOT / "scenarios"
CHINESE = re.compile("[\u4e00-\u9fff]")
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
RECEIPT = re.compile(r"^(?:receipt: |回执：).*\n", re.MULTILINE)
TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(Z|[+-]\d\d:\d\d)?")

#: What opens a case: a machine that breaks within the month.
GIVEN = {
    "order": {"id": "ORD-7", "item": "榨汁机", "category": "small_appliance", "merchant": "M-3", "paid": "899.00",
              "ordered_at": "2026-03-01T20:10:00+08:00", "received_at": "2026-03-04T11:00:00+08:00"},
    "consumer": "C-7", "ground": "malfunction",
}
#: A lawful life of that case to its end: who, what, when, saying what.
LIFE: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("consumer", "contact_merchant", "2026-03-28T10:00:00+08:00", {"message": "电机异响"}),
    ("merchant", "refuse_claim", "2026-03-28T12:00:00+08:00", {"excuse": "misuse"}),
    ("consumer", "add_evidence", "2026-03-28T13:00:00+08:00", {"kind": "fault_video", "description": "异响的视频"}),
    ("consumer", "add_evidence", "2026-03-28T14:00:00+08:00", {"kind": "fault_description", "description": "转速变慢"}),
    ("consumer", "file", "2026-03-28T15:00:00+08:00", {"claim": "return_refund", "statement": "请平台介入"}),
    ("agent", "accept_complaint", "2026-03-29T10:00:00+08:00", {}),
    ("merchant", "answer", "2026-03-29T12:00:00+08:00", {"statement": "机器出厂是好的"}),
    ("agent", "rule", "2026-03-30T10:00:00+08:00",
     {"outcome": "for_consumer", "findings": "存在质量问题", "clause": "淘宝平台争议处理规则 65",
      "remedy": {"kind": "return_refund", "amount": "899.00"},
      "penalties": [{"kind": "warning"}, {"kind": "point_deduction", "points": "2"}]}),
    ("agent", "execute_ruling", "2026-03-30T11:00:00+08:00", {}),
    ("consumer", "ship_return", "2026-03-31T10:00:00+08:00", {"carrier": "顺丰速运", "waybill": "SF-1"}),
    ("merchant", "receive_return", "2026-04-02T10:00:00+08:00", {}),
    ("system", "perform_remedy", "2026-04-02T11:00:00+08:00", {"amount": "899.00"}),
    ("consumer", "confirm_remedy", "2026-04-02T12:00:00+08:00", {}),
)


@dataclass(frozen=True)
class Ran:
    """What a run gave: its status, stdout and stderr."""

    argv: tuple[str, ...]
    status: int
    out: str
    err: str

    def __post_init__(self) -> None:
        assert self.status in (0, 1, 2), self
        assert "Traceback" not in self.out + self.err, self.err
        assert not STEERING.search(self.out + self.err), self

    def ok(self) -> Ran:
        """It is done and clean; that a receipt was written is no complaint."""
        assert (self.status, RECEIPT.sub("", self.err)) == (0, ""), self
        return self

    def document(self, status: int = 0) -> Any:
        """The one JSON document on stdout."""
        assert self.status == status, self
        return json.loads(self.out)

    def documents(self, status: int = 0) -> list[Any]:
        """The JSON documents on stdout, one a line."""
        assert self.status == status, self
        return [json.loads(line) for line in self.out.splitlines()]

    def fails(self, *words: str) -> Ran:
        """It could not run, and says so in one line on stderr that holds these words."""
        assert (self.status, self.out) == (2, ""), self
        self.says(*words)
        return self

    def says(self, *words: str) -> None:
        """stderr is one line that holds these words."""
        [line] = self.err.splitlines()
        assert line.startswith("casework: "), line
        for word in words:
            assert word in line, line


def casework(*argv: str, lang: str | None = "en") -> Ran:
    """Run the command line in this process."""
    words = argv if lang is None else ("--lang", lang, *argv)
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        status = run(words)
    return Ran(words, status, out.getvalue(), err.getvalue())


def process(*argv: str, env: dict[str, str] | None = None, program: tuple[str, ...] = ("-m", "casework"),
            encoding: str = "utf-8", **how: Any) -> Ran:
    """Run it in a process of its own."""
    program = tuple(engines.program()[1:]) if program == ("-m", "casework") else program
    options: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | how
    around = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT),
              **{name: value for name, value in os.environ.items() if name == engines.BASE},
              "XDG_STATE_HOME": os.environ["XDG_STATE_HOME"]} | (env or {})
    done: Any = subprocess.run([sys.executable, *program, *argv], env=around, timeout=60, **options)
    return Ran(argv, done.returncode, (done.stdout or b"").decode(encoding), (done.stderr or b"").decode(encoding))


def pairs(said: dict[str, Any]) -> list[str]:
    """``-d`` for every value, however deep."""
    return [word for key, value in _flat(said, "") for word in ("-d", f"{key}={value}")]


def _flat(value: Any, at: str) -> list[tuple[str, str]]:
    if isinstance(value, str):
        return [(at, value)]
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    return [found for key, item in inner for found in _flat(item, f"{at}.{key}" if at else str(key))]


def given_case(case: str = "K-1", *, steps: int = 0, store: str = "casework.db") -> str:
    """A case in the store, after so many steps of :data:`LIFE`."""
    casework("open", case, "--by", "consumer", "--at", "2026-03-28T09:00:00+08:00", "--store", store, *pairs(GIVEN)).ok()
    for step in LIFE[:steps]:
        carry(case, step, store=store)
    return case


def carry(case: str, step: tuple[str, str, str, dict[str, Any]], *, store: str = "casework.db") -> Ran:
    """One step of :data:`LIFE`."""
    by, trigger, at, said = step
    return casework("do", case, trigger, "--by", by, "--at", at, "--store", store, *pairs(said)).ok()


def rows(store: str | Path = "casework.db") -> list[tuple[Any, ...]]:
    """Every stored row, byte for byte."""
    with connect(store) as tables:
        return tables.execute("SELECT * FROM stored_events ORDER BY rowid").fetchall()


def alter(sql: str, store: str | Path = "casework.db") -> None:
    """Alter a store by hand."""
    with connect(store) as tables:
        tables.execute(sql)


def yaml_of(path: Path) -> Any:
    """What a scenario file says, every scalar as text."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


#: A short story that passes; tests put one thing in it wrong.
STORY = """\
scenario: story
title: 短故事
story: {source: 001.txt, id: SC-0}
given:
  order: {id: ORD-1, item: 榨汁机, category: small_appliance, merchant: M-1, paid: "899.00",
          ordered_at: 2026-03-01T20:10:00+08:00, received_at: 2026-03-04T11:00:00+08:00}
  consumer: C-1
  ground: malfunction
steps:
  - do: contact_merchant
    by: consumer
    at: 2026-03-28T10:00:00+08:00
    with: {message: 电机异响}
    then: {state: awaiting_merchant}
  - do: rule
    by: merchant
    after: 1h
    then: {refused: [not_in_this_state, role_not_allowed]}
then:
  state: awaiting_merchant
  findings: []
"""


def written(text: str | bytes = STORY, name: str = "story.yaml") -> str:
    """A file in the current folder."""
    Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return name


def changed(old: str, new: str) -> str:
    """The short story with one place changed."""
    assert STORY.count(old) == 1, old
    return STORY.replace(old, new)
