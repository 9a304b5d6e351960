"""Fuzzing: bytes that nobody meant, given to one parser after the other; only a CaseworkError may come out (TRUST.md: G14).

With ``atheris`` (``pip install casework[prove]``) the bytes are led by what they reach in our code; without it they are
mutations of the seeds, chosen at random by seed. A target is a function of bytes; :data:`TARGETS` names them with their
seeds, and whoever writes another parser puts it there.

    python -m harness.fuzz yaml --seconds 60 --seed 1
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import traceback
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from casework.errors import CaseworkError

#: The longest that one input may take, in seconds of processor time, and be, in bytes.
SECONDS = 1.0
LONGEST = 1 << 16


@dataclass(frozen=True)
class Target:
    """One parser: what it does with bytes, and bytes that it takes."""

    feed: Callable[[bytes], object]
    seeds: Callable[[], Sequence[bytes]]


@dataclass
class Fuzzed:
    """What became of a target: how often it was fed, by what, and what came out that should not have."""

    target: str
    by: str
    executions: int = 0
    refused: int = 0
    slowest: float = 0.0
    problems: list[str] = field(default_factory=list)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _stories() -> list[bytes]:
    from cli_helpers import SCENARIOS, STORY

    return [STORY.encode(), *(p.read_bytes() for p in sorted(SCENARIOS.glob("*.yaml"))[:3])]


def _file(data: bytes, name: str = "story.yaml") -> Path:
    path = _folder() / name
    path.write_bytes(data)
    return path


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="fuzz-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))


def _yaml(data: bytes) -> None:
    from casework.yamlfile import load

    load(_file(data, "f.yaml"))


def _scenario(data: bytes) -> None:
    from casework.scenario.schema import read

    read(_file(data))


def _rulebook(data: bytes) -> None:
    from casework.rulebook.files import read_own

    for fault in read_own([_file(data, "own.yaml")])[1]:
        assert fault.bare_zh


def _rulebook_seeds() -> list[bytes]:
    from hostile.corpus import RECORD

    from casework.rulebook.files import FOLDER

    return [RECORD.encode(), *(p.read_bytes()[:4_000] for p in sorted(FOLDER.glob("*.yaml"))[:2])]


def _intake(data: bytes) -> None:
    """The first line names the command, the others are what stands after ``-d``."""
    from casework.application.intake import command_named, opening, standing_command
    from casework.cli.carry import lists, put
    from casework.domain.standing.commands import STANDING_COMMANDS

    name, *pairs = _text(data).split("\n")
    said: dict[str, Any] = {}
    for pair in pairs:
        key, _, value = pair.partition("=")
        put(said, key, value)
    fields = lists(said)
    if name == "open":
        opening(fields)
    elif name in STANDING_COMMANDS:
        standing_command(name, fields)
    else:
        command_named(name, fields)


def _intake_seeds() -> list[bytes]:
    from cli_helpers import GIVEN, LIFE, pairs

    return ["\n".join([name, *pairs(said)[1::2]]).encode() for name, said in
            [("open", GIVEN), *((trigger, said) for _, trigger, _, said in LIFE)]]


def _url(data: bytes) -> None:
    from casework.store.url import file_system, parse

    place = parse(_text(data))
    file_system("/" + place.path, _text(data))


def _codec(data: bytes) -> None:
    """The topic, a line feed, the payload; what is read is shown, and stored again where it is clean."""
    from casework.domain.values import clean
    from casework.report.text import document
    from casework.store import codec

    topic, _, payload = data.partition(b"\n")
    codec.said_topic(payload)
    codec.duty_changes(payload)
    event = codec.decode(_text(topic), payload)
    import msgspec

    document(msgspec.to_builtins(event, builtin_types=(Decimal, datetime)), UTC)
    if codec.is_canonical(event, payload):
        assert codec.encode(clean(event)) == payload


@cache
def _rows() -> Sequence[Any]:
    from hostile.corpus import store

    from casework.store.opening import open_reader

    path = store(_folder())
    with open_reader(path) as reader:
        return list(reader.rows())


def _codec_seeds() -> list[bytes]:
    return [row.topic.encode() + b"\n" + row.payload for row in _rows()]


def _times_and_sums(data: bytes) -> None:
    from casework.application.intake import read
    from casework.cli import base, rules
    from casework.cli.clock import _span
    from casework.cli.inquire import _step
    from casework.domain.values import Order
    from casework.rulebook.calendar import after

    text = _text(data)
    order = {"id": "O", "item": "x", "category": "c", "merchant": "M", "paid": "1", "ordered_at": "2026-03-01T20:10:00+08:00"}
    for parse in (
        lambda: base.moment(text, "--at"), lambda: base._zone(text), lambda: rules._day(text, "--on"), lambda: rules._start(text),
        lambda: rules.yuan(text, "--price"), lambda: _span(text), lambda: _step(text),
        lambda: after(datetime.fromisoformat("2026-01-05T00:00:00+08:00"), text),
        lambda: read(order | {"paid": text}, Order), lambda: read(order | {"ordered_at": text}, Order),
        lambda: read(order | {"services": text, "item": text}, Order),
    ):
        with suppress(CaseworkError):
            parse()


def _time_seeds() -> list[bytes]:
    return [b"2026-03-01T20:10:00.123456+08:00", b"2026-03-01", b"899.00", b"1e999", b"3wd", b"12h", b"Asia/Shanghai",
            b'rule by=agent after=3d outcome=for_merchant findings="x y" clause=1', "２０２６-０３-０１".encode(),
            b"0001-01-01T00:00:00+23:59"]


def shows_nothing_else(text: str) -> bool:
    """Whether a terminal that is given the text only shows it: no control, format, surrogate, separator, no character at all."""
    return all(unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in text)


def _escape(data: bytes) -> None:
    from casework.report.text import clipped, columns, document, escape, visible

    for text in (_text(data), data.decode("latin-1"), data.decode("utf-16-le", "surrogatepass") if len(data) % 2 == 0 else ""):
        assert shows_nothing_else(escape(text)), ascii(escape(text))
        assert shows_nothing_else(clipped(text)), ascii(clipped(text))
        assert all(map(shows_nothing_else, columns([(text, "x"), ("y", text)])))
        assert shows_nothing_else(visible(text).replace("\n", "").replace("\t", ""))
        shown = document({"a": text}, UTC, indent=None)
        assert shows_nothing_else(shown), ascii(shown)
        assert json.loads(shown) == {"a": text}


def _store(data: bytes) -> None:
    """A store's file, read and audited."""
    from casework.application.views import by_case, facts_of, history
    from casework.audit.check import audit
    from casework.store.opening import open_reader

    path = _file(data, "mutated.db")
    with open_reader(str(path)) as reader:
        list(audit(reader.rows(), whole=True, indexed=reader))
        reader.dues()
        for _, rows in by_case(reader.rows()):
            kept = list(rows)
            with suppress(CaseworkError):
                list(history(iter(kept)))
            with suppress(CaseworkError):
                facts_of(iter(kept))


def _store_seeds() -> list[bytes]:
    from hostile.corpus import store

    return [Path(store(_folder())).read_bytes()]


def _signed(data: bytes) -> None:
    """All that the verifier reads, and the journal's reader, from the same bytes."""
    from ledger_helpers import LOG, sample

    from casework import verifier
    from casework.store.ledger.journal import read_end
    from casework.store.ledger.note import Signer

    old = verifier.verify_checkpoint(sample().checkpoint(7), LOG.vkey)
    for parse in (
        lambda: verifier.verify_receipt(data, LOG.vkey), lambda: verifier.verify_receipt(data, LOG.vkey, data[:99]),
        lambda: verifier.verify_checkpoint(data, LOG.vkey), lambda: verifier.verify_checkpoints(io.BytesIO(data), LOG.vkey),
        lambda: verifier.verify_growth(data, LOG.vkey, old), lambda: verifier.Trust.of(LOG.vkey, data),
        lambda: verifier.Key.read(_text(data)), lambda: read_end(_file(data, "checkpoints")),
        lambda: Signer.read(_text(data)),
    ):
        with suppress(CaseworkError, verifier.NotVerified, verifier.CannotRun, ValueError):
            parse()


def _signed_seeds() -> list[bytes]:
    from ledger_helpers import LOG, consistency, key_note, sample

    ledger = sample()
    proof = b"".join(base64.b64encode(one) + b"\n" for one in consistency(ledger.leaves, 7))
    return [ledger.receipt(5), ledger.receipt(39, payload=False), ledger.checkpoint(),
            ledger.checkpoint(3) + b"\n" + ledger.checkpoint(9),
            b"old 7\n" + proof + b"\n" + ledger.checkpoint(), key_note(LOG, 0), LOG.vkey.encode()]


def _baseline(data: bytes) -> None:
    from casework.audit.baseline import read

    read(_file(data, "known.yaml"))


#: Every parser of what others wrote.
TARGETS: dict[str, Target] = {
    "yaml": Target(_yaml, _stories),
    "scenario": Target(_scenario, _stories),
    "rulebook": Target(_rulebook, _rulebook_seeds),
    "intake": Target(_intake, _intake_seeds),
    "url": Target(_url, lambda: [b"sqlite:///t.db?force=1", b"~x/y", b"postgresql://u:p@h/d",
                                 b"36 35 98:0 / /mnt rw - ext3 /dev/root rw"]),
    "codec": Target(_codec, _codec_seeds),
    "times": Target(_times_and_sums, _time_seeds),
    "escape": Target(_escape, lambda: ["榨汁机\x1b[2J\u202e\u200b\U000e0041".encode(), bytes(range(256))]),
    "store": Target(_store, _store_seeds),
    "signed": Target(_signed, _signed_seeds),
    "baseline": Target(_baseline, lambda: [
        b"- code: guard_refuses\n  case: K-1\n  version: 4\n  reason: known\n  fingerprint: " + b"0" * 64 + b"\n", b"[]\n"]),
}


class Feeder:
    """Feeds one target and keeps count; whatever comes out but a CaseworkError is a problem, and so is a second of work."""

    def __init__(self, name: str, by: str, keep: Path | None = None) -> None:
        self.target, self.found, self._keep = TARGETS[name], Fuzzed(name, by), keep

    def __call__(self, data: bytes) -> None:
        found, start = self.found, time.process_time()
        found.executions += 1
        try:
            self.target.feed(bytes(data))
        except CaseworkError as error:
            found.refused += 1
            if not error.en or not error.zh:
                self.problem("an error that says nothing", data)
        except Exception as error:
            self.problem(f"{type(error).__name__}: {str(error)[:200]} {_place(error)}", data)
        took = time.process_time() - start
        found.slowest = max(found.slowest, took)
        if took > SECONDS:
            self.problem(f"{took:.1f} s", data)

    def problem(self, what: str, data: bytes) -> None:
        """Keep what happened once for each place, with the bytes that did it."""
        told = f"{self.found.target}: {what}"
        if len(self.found.problems) < 20 and not any(p.startswith(told) for p in self.found.problems):
            self.found.problems.append(f"{told}: {bytes(data[:300])!r}")
            if self._keep is not None:
                (self._keep / f"{self.found.target}-{len(self.found.problems)}").write_bytes(data)


def _place(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}:{last.lineno}"


def mutated(seed: bytes, choose: random.Random) -> bytes:
    """The bytes with a few of them changed, doubled, cut out or put elsewhere."""
    data = bytearray(seed)
    for _ in range(choose.randint(1, 6)):
        at = choose.randrange(len(data) + 1)
        kind = choose.randrange(7)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << choose.randrange(8)
        elif kind == 1:
            data[at:at] = choose.choice(ODD)
        elif kind == 2:
            del data[at : at + choose.randint(1, 40)]
        elif kind == 3:
            data[at:at] = data[at : at + choose.randint(1, 60)] * choose.choice((1, 2, 50))
        elif kind == 4 and at < len(data):
            data[at] = choose.randrange(256)
        elif kind == 5:
            piece = data[at : at + choose.randint(1, 200)]
            to = choose.randrange(len(data) + 1)
            data[to:to] = piece
        else:
            data[at : at + len(one)] = (one := choose.choice(ODD))
    return bytes(data[:LONGEST])


#: What has upset parsers before.
ODD = (b"\0", b"\x1b[2J", b"\xff", b"\xed\xa0\x80", b"\xc2\x9b", b"\xe2\x80\xae", b"\xcc\x81" * 40, b"9" * 40, b"1e999999999",
       b"NaN", b".inf", b"-0", b"[" * 50, b"{" * 50, b"&a ", b"*a", b"!!x", b"<<", b"%TAG ! x\n", b"0001-01-01T00:00:00+23:59",
       b"9999-12-31T23:59:59-23:59", b"\xf3\xa0\x81\x81", b"\xf0\x9f\x98\x80", b"=", b".", b"0.", b"\n", b"\r", b"\\ud800", b"'",
       b'"', b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"~", b"?", b"://", b"../", b"18446744073709551616")


def shaken(name: str, seconds: float, seed: int, most: int = 1 << 60) -> Fuzzed:
    """The target fed with random mutations of its seeds for so long, or so often; the same by seed as far as it comes."""
    feeder = Feeder(name, "mutation")
    choose = random.Random(f"{name} {seed}")
    seeds = feeder.target.seeds()
    end = time.process_time() + seconds
    for one in seeds:
        feeder(one)
    while time.process_time() < end and feeder.found.executions < most:
        feeder(mutated(choose.choice(seeds), choose))
    return feeder.found


def fuzz(target: str, seconds: float, seed: int) -> Fuzzed:
    """The target fuzzed in a process of its own for so long: by ``atheris`` where it is installed, else by mutation."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "found.json"
        words = [sys.executable, "-m", "harness.fuzz", target, "--seconds", str(seconds), "--seed", str(seed), "--out", str(out)]
        root = Path(__file__).parents[2]
        around = os.environ | {"PYTHONPATH": os.pathsep.join([str(root), str(root / "tests")])}
        done = subprocess.run(words, cwd=folder, env=around, capture_output=True, timeout=seconds * 3 + 120, check=False)
        if not out.exists():
            return Fuzzed(target, "?", problems=[f"{target}: died with status {done.returncode}: {done.stderr[-500:]!r}"])
        return Fuzzed(**json.loads(out.read_text(encoding="utf-8")))


def _led(name: str, seconds: float, seed: int, out: Path) -> None:
    """By atheris, which ends the process itself: the count is written as it goes on."""
    import atheris  # type: ignore[import-not-found,unused-ignore]

    with atheris.instrument_imports(include=["casework"]):
        import casework.application.intake
        import casework.audit.check
        import casework.cli.carry
        import casework.cli.inquire
        import casework.cli.rules
        import casework.report.text
        import casework.rulebook.files
        import casework.scenario.schema
        import casework.store.opening  # noqa: F401
    feeder = Feeder(name, "atheris", out.parent)
    folder = Path(tempfile.mkdtemp(prefix="corpus-"))
    for number, data in enumerate(feeder.target.seeds()):
        (folder / str(number)).write_bytes(data)
    begin = last = time.monotonic()

    def one(data: bytes) -> None:
        nonlocal last
        feeder(data)
        if time.monotonic() - last > 1 or time.monotonic() - begin > seconds:
            last = time.monotonic()
            out.write_text(json.dumps(asdict(feeder.found)), encoding="utf-8")
            if last - begin > seconds:
                os._exit(0)

    longest = max(LONGEST, *(len(d) for d in feeder.target.seeds()))
    atheris.Setup([sys.argv[0], str(folder), f"-seed={seed or 1}", f"-max_len={longest}", "-verbosity=0", "-timeout=60"], one)
    atheris.Fuzz()


def main() -> None:
    """One target, from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--by", choices=["atheris", "mutation"])
    asked = parser.parse_args()
    out = asked.out or Path(tempfile.mkdtemp()) / "found.json"
    by = asked.by
    if by is None:
        try:
            import atheris  # type: ignore[import-not-found,unused-ignore]  # noqa: F401

            by = "atheris"
        except ImportError:
            by = "mutation"
    if by == "atheris":
        _led(asked.target, asked.seconds, asked.seed, out)
    found = shaken(asked.target, asked.seconds, asked.seed)
    out.write_text(json.dumps(asdict(found)), encoding="utf-8")
    print(json.dumps(asdict(found), ensure_ascii=True, indent=1))


if __name__ == "__main__":
    main()
