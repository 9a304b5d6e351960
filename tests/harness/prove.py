"""``make prove``: every harness of this folder in full, and ``docs/PROOF.md``, which says what came of it.

    python tests/harness/prove.py [--only G2,G5] [--seed N] [--share 0.1]

Each figure is run on its own and kept in ``docs/proof.json``; the page is written from that. ``--share`` runs a part of the full
count, and the page says so.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    sys.modules["harness.prove"] = sys.modules["__main__"]

KEPT = ROOT / "docs" / "proof.json"
PAGE = ROOT / "docs" / "PROOF.md"
LIBRARIES = ("eventsourcing", "transitions", "msgspec", "cryptography", "PyYAML", "click", "chinesecalendar")


@dataclass
class Proof:
    """What a figure came to. ``control`` is what shows that the harness finds something where there is something to find."""

    figure: str
    wanted: int
    count: int
    seed: int
    seconds: float
    counts: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    control: str = ""
    at: str = ""
    on: str = ""

    @property
    def reached(self) -> bool:
        """Whether it was tried in full, and nothing was wrong."""
        return self.count >= self.wanted and not self.problems


@dataclass(frozen=True)
class Figure:
    """A goal, and what tries it: a seed and a share of the full count in, a proof out."""

    id: str
    goal: str
    how: str
    run: Callable[[int, float], Proof]
    not_covered: str = ""


def _of(result: Any, control: str = "") -> Proof:
    """The common shape of the harnesses' results."""
    return Proof(result.figure, result.wanted, result.count, result.seed, result.seconds, dict(result.counts),
                 list(result.problems), control)


def _vectors(seed: int, share: float) -> Proof:
    from test_tree_vectors import TREES, holds, published

    begun = time.monotonic()
    vectors = published("inclusion") | published("consistency")
    problems = [f"{name}: {which}" for which, one in TREES.items() for name, vector in vectors.items()
                if holds(one, vector) is vector["wantErr"]]
    broken = sum(vector["wantErr"] for vector in vectors.values())
    return Proof("G1", 196, len(vectors), seed, time.monotonic() - begun, {"verifiers": len(TREES)}, problems,
                 f"{broken} of the vectors are broken proofs, which both verifiers refuse")


def _mutations(seed: int, share: float) -> Proof:
    from harness.damage import mutations

    with tempfile.TemporaryDirectory() as folder:
        done = mutations(Path(folder), int(10_000 * share), seed)
    return _of(done, f"{done.counts.get('found', 0)} of the changes were told, the others changed nothing that is history")


def _flips(seed: int, share: float) -> Proof:
    from harness.damage import bit_flips

    with tempfile.TemporaryDirectory() as folder:
        return _of(bit_flips(Path(folder), max(1, int(150 * share)), int(2_000 * share), seed),
                   "a row that is as it was recorded gives no finding (the store is clean before)")


def _siege(seed: int, share: float) -> Proof:
    from harness.attacks import siege

    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        done = siege(Path(folder) / "siege")
    proof = _of(done, "the store that nobody touched gives no finding")
    proof.seconds = time.monotonic() - begun
    proof.counts = {"missed by the store alone": len(done.missed_alone), "missed by the journal": len(done.missed_by_journal)}
    return proof


def _kills(seed: int, share: float) -> Proof:
    from harness.counts import careless_kill, kills, server_kills

    done = _of(kills(count=int(1_000 * share), seed=seed), "every kill is looked at for a half-written commit: counts, hot")
    servers = server_kills(count=max(1, int(100 * share)), seed=seed)
    lost = careless_kill(seed=seed)
    done.counts |= {"kill -9 of PostgreSQL": servers.count, "acknowledged by PostgreSQL": servers.counts["acknowledged"]}
    done.problems += [f"PostgreSQL: {problem}" for problem in servers.problems]
    done.control += f"; clients that do not wait for PostgreSQL's disk lost {lost} acknowledged commands by one kill"
    done.seconds += servers.seconds
    return done


def _power(seed: int, share: float) -> Proof:
    from harness.powerloss import power_loss

    done = power_loss(states=int(10_000 * share), seed=seed)
    told = []
    for kind in ("wal_normal", "delete_full"):
        control = power_loss(states=max(20, int(1_000 * share)), seed=seed, kind=kind)
        gone = control.counts.get("lost", 0) + control.counts.get("unusable", 0)
        told.append(f"{kind}: {gone} of {control.count} states lost what was acknowledged, or said that it is lost")
    return _of(done, "; ".join(told))


def _faults(seed: int, share: float) -> Proof:
    from harness.counts import fault_seeds

    return _of(fault_seeds(count=int(10_000 * share), seed=seed), "counts, struck: how many faults really struck")


def _races(seed: int, share: float) -> Proof:
    from harness.counts import races

    return _of(races(seed=seed))


def _unlawful(seed: int, share: float) -> Proof:
    from harness.unlawful import trial

    wanted, begun = int(1_000 * share), time.monotonic()
    done = trial(wanted, seed)
    return Proof("G9", wanted, min(done.lawful, done.flagged), seed, time.monotonic() - begun, {
        "lawful": done.lawful, "events of them": done.events, "with a late decision, which is told": done.late,
        "unlawful": done.unlawful, "kinds": len(done.kinds), "flagged": done.flagged, "named at the event": done.named,
        "of kinds that the checker knows": done.claimed, "told by the checker": done.told}, list(done.problems),
        "the lawful ones give no finding")


def _disks(seed: int, share: float) -> Proof:
    from harness.diskfaults import disk_faults

    return _of(disk_faults(every=max(1, round(1 / share)), seed=seed))


def _hostile(seed: int, share: float) -> Proof:
    from hostile.run import corpus

    from harness.fuzz import TARGETS, fuzz

    begun = time.monotonic()
    found = corpus()
    problems = list(found.problems)
    counts: dict[str, Any] = {"hostile inputs": found.inputs, "slowest, s": f"{found.slowest[0]:.2f} ({found.slowest[1]})",
                              "largest, MB": f"{found.largest[0] >> 20} ({found.largest[1]})"}
    for target in TARGETS:
        tried = fuzz(target, 600 * share, seed)
        counts[f"{target} ({tried.by})"] = tried.executions
        problems += tried.problems
    return Proof("G14", 60, found.inputs, seed, time.monotonic() - begun, counts, problems,
                 f"each parser was fuzzed for {600 * share:.0f} s of 600")


def _mutants(seed: int, share: float) -> Proof:
    from mutate import scores

    begun = time.monotonic()
    counts, problems = scores(share, seed)
    tried = sum(value for name, value in counts.items() if name.endswith(": tried"))
    return Proof("G15", 800, tried, seed, time.monotonic() - begun, counts, problems,
                 "what was not killed is named by make mutate ROOM=ledger (or audit)")


def _receipts(seed: int, share: float) -> Proof:
    from harness.receipts import figures, mutations

    begun = time.monotonic()
    wanted = int(100_000 * share)
    tried, size = mutations(wanted, seed), figures()
    problems = [*tried.accepted, *tried.disagreed]
    if size.usual > 2_048:
        problems.append(f"a usual receipt is of {size.usual} bytes")
    if size.median_ms >= 5:
        problems.append(f"verifying takes {size.median_ms:.2f} ms")
    return Proof("G16", wanted, sum(tried.tried.values()), seed, time.monotonic() - begun, {
        "of the same meaning": sum(tried.same.values()), "accepted": len(tried.accepted), "disagreed": len(tried.disagreed),
        "bytes at a million commits": size.usual, "bytes, longest names": size.longest,
        "ms to verify (median)": round(size.median_ms, 2)}, problems, "the receipts as they were made are accepted by both")


FIGURES: tuple[Figure, ...] = (
    Figure("G1", "196 of 196 published Merkle vectors, and the signed note of the specification", "tests/test_tree_vectors.py",
           _vectors),
    Figure("G2", "10,000 random byte mutations of a store at rest: no change of history undetected, no crash of the audit",
           "tests/harness/damage.py", _mutations,
           "Stores of some forty events; larger pages and overflow chains are met less often."),
    Figure("G3", "every bit of every stored field of a 150-event store flipped in turn: all found", "tests/harness/damage.py",
           _flips, "All by the check of leaves that the audit uses; about 2,000 of them also in the file, by the whole audit."),
    Figure("G4", "25 or more attacks: all found with something outside", "tests/harness/attacks.py", _siege,
           "Whoever holds store, journal and key can rewrite all; a checkpoint, a witness or a receipt in other hands tells."),
    Figure("G5", "1,000 kill -9 on SQLite, 100 of a PostgreSQL server under load: no acknowledged command lost, the audit clean",
           "tests/harness/crashes.py, tests/harness/servers.py", _kills,
           "With PostgreSQL the audit of all is run after the last kill of a server; after each, that what was acknowledged is "
           "there. No machine was cut off from its power."),
    Figure("G6", "10,000 power-loss states: nothing lost, nothing corrupt; the same tool shows loss for weaker settings",
           "tests/harness/powerloss.py", _power, "A model of a disk, stated in tests/harness/disk.py; no disk was unplugged."),
    Figure("G7", "10,000 fault seeds: exactly once", "tests/harness/faults.py", _faults),
    Figure("G8", "8 processes, 50 commands each on one case: 400 stored, none lost or doubled", "tests/harness/races.py", _races),
    Figure("G9", "1,000 unlawful histories all flagged, 1,000 lawful ones none, by the audit and by an independent checker",
           "tests/harness/unlawful.py", _unlawful),
    Figure("G10", "every call to the disk fails in turn: nothing acknowledged lost, the audit clean",
           "tests/harness/diskfaults.py",
           _disks, "Calls of SQLite and of Python through the C library, on Linux."),
    Figure("G14", "60 or more hostile inputs: a message each; each parser fuzzed for 10 minutes",
           "tests/hostile, tests/harness/fuzz.py",
           _hostile),
    Figure("G15", "mutation score of tree, note and receipt code 95 % or more, of the audit 90 %", "tests/mutate.py", _mutants,
           "Constants outside functions and properties are not mutated; sentences are left out by a rule; the audit by sample; "
           "of the verifier not the text for people and the command line."),
    Figure("G16", "a receipt of 2 kB at most at a million commits, verified in 5 ms; two verifiers agree on 100,000 mutated ones",
           "tests/harness/receipts.py", _receipts),
)


#: Whose count is a part of the full one where a share is run.
COUNTED = frozenset(("G2", "G5", "G6", "G7", "G9", "G16"))


def machine() -> str:
    """On what it was run."""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    system = f"{platform.system()} {platform.machine()}"
    git = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    at = f"commit {git.stdout.strip()}; " if git.returncode == 0 else ""
    return f"{at}Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {system}; {libraries}"


def read() -> dict[str, Proof]:
    """What was kept of earlier runs."""
    return {key: Proof(**value) for key, value in json.loads(KEPT.read_text(encoding="utf-8")).items()} if KEPT.exists() else {}


def page(kept: dict[str, Proof]) -> str:
    """``docs/PROOF.md``."""
    lines = [
        "# Proof", "",
        "What was tried to show that casework keeps what it promises, how often, with which seed, and what is not covered.",
        "Written by `make prove` from `docs/proof.json`; each harness also runs in small with every `make test`. Times are of a",
        "shared machine with two cores.", "",
        "本页由 `make prove` 写成：试了什么、多少次、用哪个种子、什么没有覆盖。每项试验的小规模形式在 `make test` 中都会运行。",
        "",
        "| figure | goal | tried | seed | problems | seconds |", "| --- | --- | --- | --- | --- | --- |"]
    for figure in FIGURES:
        proof = kept.get(figure.id)
        if proof is None:
            lines.append(f"| {figure.id} | {figure.goal} | not run | | | |")
            continue
        part = "" if proof.count >= proof.wanted else f" of {proof.wanted:,}"
        lines.append(f"| {figure.id} | {figure.goal} | {proof.count:,}{part} | {proof.seed} | {len(proof.problems)} | "
                     f"{proof.seconds:.0f} |")
    for figure in FIGURES:
        proof = kept.get(figure.id)
        lines += ["", f"## {figure.id}", "", f"{figure.goal[0].upper()}{figure.goal[1:]}. By `{figure.how}`.", ""]
        if proof is None:
            lines.append("Not run.")
        else:
            lines.append(f"- Run {proof.at} on {proof.on}.")
            lines += [f"- {name}: {value:,}" if isinstance(value, int) else f"- {name}: {value}"
                      for name, value in proof.counts.items()]
            lines += [f"- Control: {proof.control}."] if proof.control else []
            lines += [f"- PROBLEM: {problem}" for problem in proof.problems[:20]]
        lines += [f"- Not covered: {figure.not_covered}"] if figure.not_covered else []
    lines += ["", "## Not here", "", "G11 to G13 (erasure, sealed fields, authority) belong to what casework does not have yet.",
              ""]
    return "\n".join(lines)


def main() -> int:
    """Run what was asked for; 1 if a figure was not reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=",".join(f.id for f in FIGURES))
    parser.add_argument("--seed", type=int, default=20261126)
    parser.add_argument("--share", type=float, default=1.0)
    asked = parser.parse_args()
    kept, wanted = read(), asked.only.split(",")
    for figure in (f for f in FIGURES if f.id in wanted):
        print(f"{figure.id}: {figure.goal} …", flush=True)
        proof = figure.run(asked.seed, asked.share)
        if figure.id in COUNTED:
            proof.wanted = round(proof.wanted / asked.share)  # a part is called a part
        proof.at, proof.on = datetime.now(UTC).strftime("%Y-%m-%d"), machine()
        print(f"{figure.id}: {proof.count:,} tried, {len(proof.problems)} problems, {proof.seconds:.0f} s", flush=True)
        for problem in proof.problems[:20]:
            print(f"  {problem}", flush=True)
        kept = read() | {figure.id: proof}  # another run may have kept something in the meantime
        fresh = KEPT.with_suffix(".new")
        fresh.write_text(json.dumps({k: asdict(v) for k, v in kept.items()}, ensure_ascii=False, indent=1) + "\n",
                         encoding="utf-8")
        shutil.move(fresh, KEPT)
        PAGE.write_text(page(kept), encoding="utf-8")
    return 0 if all(kept[i].reached for i in wanted if i in kept) else 1


if __name__ == "__main__":
    raise SystemExit(main())
