"""The rooms of mutation testing that carry the trust: what signs and proves (``ledger``), and the ``audit``; by mutmut.

Which mutants there are is listed first; those that only change a sentence are left out by the rule of :func:`is_wording`, before
anything runs; then a sample by seed is drawn, where a room has too many, and mutmut runs those by name, on a copy in a temporary
folder. What it leaves alone is not counted: constants outside functions, decorated functions such as properties.
"""

from __future__ import annotations

import ast
import contextlib
import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Collection
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
SEED = 20261127


class Room(NamedTuple):
    """Files, by pattern; the tests that are to kill; the goal, per cent; how many are tried (0: all)."""

    name: str
    goal: float
    files: tuple[str, ...]
    tests: tuple[str, ...]
    deselected: tuple[str, ...] = ()
    #: Functions that are not the room's.
    besides: frozenset[str] = frozenset()
    sample: int = 0


#: Of the verifier its core is tried: not the text for people, and not its command line.
_TEXT = frozenset(("when", "told", "_told_of", "_said", "facts", "main", "_language", "_content", "_vkey"))
#: These need the verifier as it is: alone in a folder, with its own imports, loading its library late, run as a program.
_AS_IT_IS = ("test_verifier.py::test_the_file_needs_nothing_but_the_standard_library_and_cryptography",
             "test_verifier.py::test_it_is_read_without_the_library_until_a_signature_is",
             "test_verifier.py::test_a_copy_of_it_verifies_in_an_empty_folder",
             "test_verifier.py::test_a_terminal_that_knows_no_chinese_gets_escapes_and_no_traceback",
             "test_ledger.py::test_opening_and_ruling_say_where_the_receipt_lies_and_a_stranger_verifies_it",
             "test_ledger.py::test_many_who_make_a_store_at_once_share_one_journal")
#: These take long and kill nothing that others do not.
_LONG = ("test_audit.py::test_a_flipped_bit_of_a_payload_is_found_unless_it_is_in_what_was_said",
         "test_audit.py::test_any_change_of_a_single_field_is_found",
         "test_audit_projector.py::test_the_two_readings_agree_after_every_single_event_of_many_deep_walks",
         "test_audit_projector.py::test_both_readings_of_a_lawful_case_are_equal_and_its_audit_tells_of_late_decisions_alone")

ROOMS = (
    Room("ledger", 95.0,
         (*(f"casework/store/ledger/{name}.py" for name in ("tree", "entry", "note", "ledger")), "casework/verifier.py"),
         ("test_tree_vectors.py", "test_ledger_forms.py", "test_verifier.py", "test_ledger.py", "test_second_verifier.py",
          "test_attacks.py"),
         _AS_IT_IS, _TEXT),
    Room("audit", 90.0, ("casework/audit/*.py",),
         ("test_audit.py", "test_audit_walked.py", "test_audit_says.py", "test_audit_projector.py", "test_audit_second.py",
          "test_audit_baseline.py", "test_audit_report.py", "test_standing_audit.py", "test_standing.py", "test_corrections.py",
          "test_duties.py", "test_unlawful.py", "test_ledger.py", "test_attacks.py", "test_audit_quick.py", "test_audit_parts.py",
          "test_log.py"),
         (*_LONG, *_AS_IT_IS), sample=400),
)

# --- what is only wording ----------------------------------------------------------------------------------------------

#: What takes sentences, and nothing else: findings' lines and errors, in both languages.
SENTENCES = frozenset(("Line", "NotVerified", "CannotRun", "StoreError", "EngineError", "InputError", "UnknownCase", "RuleError",
                       "ValueError", "TypeError"))
#: Names under which a sentence, or a part of one, is kept until it is said.
SAID = frozenset(("en", "zh", "what", "why", "said"))
_CHINESE = re.compile("[\u4e00-\u9fff]")
_ANY_CASE = re.compile(r"(?i)\s*(SELECT|INSERT|PRAGMA|BEGIN)\b|utf-8$")


def is_wording(before: str, after: str) -> bool:
    """Whether two functions differ in nothing but sentences: what is handed to one of ``SENTENCES``, a text that is assigned to
    one of ``SAID`` or holds Chinese, and the letter case of SQL and of an encoding's name, which means nothing.
    """
    return _unworded(before) == _unworded(after)


@cache
def _unworded(function: str) -> str:
    [found] = ast.parse(textwrap.dedent(function)).body
    assert isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef)
    found.name = ""
    return ast.dump(_Unworded().visit(found))


class _Unworded(ast.NodeTransformer):
    """Takes the sentences out."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in SENTENCES:
            node.args, node.keywords = [], []
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        names = {name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)}
        if names <= SAID:
            node.value = _Untexted().visit(node.value)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if not isinstance(node.value, str):
            return node
        if _CHINESE.search(node.value):
            return ast.Constant("")
        return ast.Constant(node.value.upper() if _ANY_CASE.match(node.value) else node.value)


class _Untexted(ast.NodeTransformer):
    """Takes every text out."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant("") if isinstance(node.value, str) else node


# --- which mutants there are -------------------------------------------------------------------------------------------


class Listed(NamedTuple):
    """A mutant before it is run: mutmut's name of it, its file and function, and the lines of both."""

    name: str
    file: str
    function: str
    before: str
    after: str

    @property
    def shown(self) -> str:
        """Where and what, for people."""
        old, new = (re.sub(" *# type: ignore # mutmut generated", "", text).split("\n")[1:] for text in (self.before, self.after))
        gone = [line for line in difflib.unified_diff(old, new, n=0) if line[:3] not in ("---", "+++") and line[0] in "-+"]
        first = next((line[1:] for line in gone if line[0] == "-"), "")
        lines = (ROOT / self.file).read_text(encoding="utf-8").split("\n")
        start = next((i for i, line in enumerate(lines) if line.strip().startswith(f"def {self.function}(")), 0)
        number = next((i for i, line in enumerate(lines[start:], start + 1) if line == first), start + 1)
        before, after = (" ".join(line[1:].strip() for line in gone if line[0] == sign) for sign in "-+")
        return f"{self.file}:{number}: {before[:200]} => {after[:200]}"


def listed(room: Room, folder: Path) -> tuple[list[Listed], int]:
    """The mutants of a room by name, made in ``folder`` for mutmut to run, and how many more were left out as wording."""
    found, words = [], 0
    with contextlib.chdir(folder):
        # mutmut reads the settings of the working directory as soon as it is imported, and guesses where there are none
        from mutmut.__main__ import create_mutants_for_file
        from mutmut.configuration import reset_config

        reset_config()
        for path in (path for pattern in room.files for path in sorted(Path().glob(pattern))):
            target = "mutants" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            create_mutants_for_file(path, target)
            code = target.read_text(encoding="utf-8")
            lines = code.split("\n")
            functions = {node.name: "\n".join(lines[node.lineno - 1:node.end_lineno]) for node in ast.walk(ast.parse(code))
                         if isinstance(node, ast.FunctionDef) and "__mutmut_" in node.name}
            module = str(path.with_suffix("")).replace(os.sep, ".")
            for name, after in functions.items():
                mangled, _, number = name.partition("__mutmut_")
                plain = mangled.removeprefix("x_").rpartition("ǁ")[2]
                if not number.isdigit() or plain in room.besides:
                    continue
                before = functions[f"{mangled}__mutmut_orig"]
                if is_wording(before, after):
                    words += 1
                else:
                    found.append(Listed(f"{module}.{name}", str(path), plain, before, after))
        reset_config()
    return sorted(found), words


# --- running them ------------------------------------------------------------------------------------------------------


class Score(NamedTuple):
    """What came of a room."""

    room: str
    goal: float
    mutants: int
    wording: int
    tried: int
    killed: int
    late: int
    seed: int
    seconds: float
    survivors: tuple[Listed, ...]

    @property
    def percent(self) -> float:
        """Killed, per cent of those tried."""
        return 100 * self.killed / self.tried if self.tried else 0.0


def score(room: Room, share: float = 1.0, sample: int = 0, seed: int = SEED, *, jobs: int = 1,
          only: Collection[str] = ()) -> Score:
    """Run a share of a room, or of a ``sample`` of it by ``seed`` (0: of all its mutants), or only those named."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="casework-mutate-") as made:
        folder = Path(made)
        _copied(room, folder)
        every, words = listed(room, folder)
        wanted = min(len(every), max(1, round(share * (sample or len(every)))))
        chosen = [m for m in every if m.name in only] if only else sorted(Random(seed).sample(every, wanted))
        statuses = _run(folder, jobs, [m.name for m in chosen])
    unknown = [m.name for m in chosen if statuses.get(m.name, "not checked") == "not checked"]
    if unknown:
        raise SystemExit(f"mutmut did not check {len(unknown)} mutants, such as {unknown[0]}")
    late = sum(statuses[m.name] == "timeout" for m in chosen)
    survivors = tuple(m for m in chosen if statuses[m.name] not in ("killed", "timeout", "caught by type check"))
    return Score(room.name, room.goal, len(every), words, len(chosen), len(chosen) - len(survivors), late, seed,
                 time.monotonic() - begun, survivors)


def _copied(room: Room, folder: Path) -> None:
    for name in ("casework", "tests", "scenarios", "docs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("README.md", "pyproject.toml", "Makefile"):
        shutil.copy(ROOT / name, folder / name)
    settings = (ROOT / "setup.cfg").read_text(encoding="utf-8").replace("-n 2 --dist worksteal", "")
    files = "".join(f"\n    {name}" for name in room.files)
    tests = "".join(f"\n    tests/{name}" for name in room.tests)
    options = "".join(f"\n    --deselect=tests/{name}" for name in room.deselected)
    (folder / "setup.cfg").write_text(
        f"{settings}\n[mutmut]\nsource_paths = casework\nonly_mutate ={files}\npytest_add_cli_args_test_selection ={tests}\n"
        f"pytest_add_cli_args ={options}\n    -p\n    no:cacheprovider\n    -m\n    not server\n"
        "also_copy =\n    scenarios\n    docs\n    README.md\n    pyproject.toml\n    setup.cfg\n", encoding="utf-8")


def _run(folder: Path, jobs: int, names: list[str]) -> dict[str, str]:
    mutmut = [sys.executable, "-m", "mutmut"]
    environment = os.environ | {"PYTHONPATH": str(folder)}
    ran = subprocess.run([*mutmut, "run", "--max-children", str(jobs), *names], cwd=folder, env=environment, capture_output=True,
                         text=True)
    shown = subprocess.run([*mutmut, "results", "--all", "true"], cwd=folder, env=environment, capture_output=True, text=True)
    found = dict(re.findall(r"^\s*(\S+): (.+)$", shown.stdout, re.M))
    if ran.returncode or not found:
        raise SystemExit(f"mutmut failed:\n{ran.stdout[-3000:]}{ran.stderr[-2000:]}")
    return found


def scores(share: float = 1.0, seed: int = SEED) -> tuple[dict[str, Any], list[str]]:
    """The figures of both rooms for the page of proof, and a sentence for each room that is below its goal."""
    counts: dict[str, Any] = {}
    problems = []
    for room in ROOMS:
        done = score(room, share, room.sample, seed)
        counts |= facts(done)
        if done.percent < room.goal:
            problems.append(f"{room.name}: {done.killed} of {done.tried} mutants killed, {done.percent:.1f} %, "
                            f"which is below {room.goal:.0f} %")
    return counts, problems


def facts(done: Score) -> dict[str, Any]:
    """The figures of a room, for the page of proof."""
    name = done.room
    return {f"{name}: killed": done.killed, f"{name}: tried": done.tried, f"{name}: score": f"{done.percent:.1f} %",
            f"{name}: mutants in all": done.mutants, f"{name}: left out as wording": done.wording, f"{name}: seed": done.seed}

