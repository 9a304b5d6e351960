"""The rule by which mutants are left out of a score: only what changes nothing but a sentence is."""

from __future__ import annotations

import pytest
from mutate_rooms import is_wording

FUNCTION = '''
def found(row, db):
    what = "the payload"
    key = row.case.encode("utf-8", "surrogateescape")
    rows = db.execute("SELECT number FROM leaves WHERE number >= ?", row.version)
    if row.version > 1 and row.case != "K":
        yield Fault("version_gap", Line(f"版本 {shown(row.version, 60)}", f"version {row.version}"), Line("缺少", what))
    if not rows:
        raise verifier.NotVerified("there is nothing", "什么也没有")
    raise StoreError("the store is damaged", "案件库已损坏")
'''


@pytest.mark.parametrize(("old", "new", "wording"), [
    ('"the store is damaged"', '"XXthe store is damagedXX"', True),
    ('"the store is damaged"', "None", True),
    ('"there is nothing"', "None", True),
    ("verifier.NotVerified", "verifier.CannotRun", False),
    ('shown(row.version, 60)', 'shown(row.version, 61)', True),
    ('what = "the payload"', 'what = "THE PAYLOAD"', True),
    ("SELECT number FROM", "select number from", True),
    ("utf-8", "UTF-8", True),
    ("utf-8", "XXutf-8XX", False),
    ("surrogateescape", "SURROGATEESCAPE", False),
    ("def found", "def other", True),
    ('"SELECT number', '"XXSELECT number', False),
    ('what = "the payload"', "what = None", False),
    ("row.version > 1", "row.version >= 1", False),
    ('"version_gap"', '"VERSION_GAP"', False),
    ('"K"', '"XXKXX"', False),
    (', Line("缺少", what)', ", None", False),
    ("raise StoreError", "return StoreError", False),
    ("number >= ?", "number > ?", False),
    ("and row.case", "or row.case", False),
])
def test_only_what_changes_a_sentence_is_wording(old: str, new: str, wording: bool) -> None:
    assert old in FUNCTION
    assert is_wording(FUNCTION, FUNCTION.replace(old, new)) == wording
