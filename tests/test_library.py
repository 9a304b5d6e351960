"""What a program does with casework: every public name, used as the README shows it, and more than once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import casework

pytestmark = pytest.mark.stores

ROOT = Path(__file__).parent.parent
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
GIVEN = {"consumer": "C-1", "ground": "damaged", "order": {
    "id": "ORD-1", "item": "花瓶", "category": "home", "merchant": "M-1", "paid": "59.00",
    "ordered_at": "2026-03-01T10:00:00+08:00"}}


def test_a_program_opens_a_case_carries_it_on_looks_at_it_and_audits_the_store(tmp_path: Path) -> None:
    with casework.open_store(str(tmp_path / "cases.db"), create=True) as store:
        opened = casework.open_case(store, "K-1", GIVEN, clock=lambda: AT, command_id="open")
        assert (opened.version, opened.repeated) == (1, False)
        assert casework.open_case(store, "K-1", GIVEN, clock=lambda: AT, command_id="open").repeated
        with pytest.raises(casework.Refused) as refused:
            casework.carry_on(store, "K-1", "file", {"claim": "refund", "statement": "到货即碎"}, by="consumer",
                              clock=lambda: AT, command_id="file")
        assert refused.value.codes == ["merchant_not_contacted"]
        done = casework.carry_on(store, "K-1", "contact_merchant", {"message": "碎了"}, by="consumer",
                                 clock=lambda: AT + timedelta(hours=1), command_id="contact")
        assert done.state == "awaiting_merchant"
        for _ in range(2):
            assert casework.show(store, "K-1", AT)["state"] == "awaiting_merchant"
            assert casework.show(store, "K-1", AT, version=1)["state"] == "discovered"
            assert [e["version"] for e in casework.history(store, "K-1")] == [1, 2]
            allowed = {o["trigger"] for o in casework.options(store, "K-1", AT)["triggers"] if o["allowed"]}
            assert {"file", "make_offer"} <= allowed
            assert casework.audit_store(store) == casework.audit_store(store, "K-1") == []
        with pytest.raises(casework.CaseworkError):
            casework.show(store, "K-2", AT)


@pytest.mark.file
def test_a_program_replays_a_scenario_by_its_path_or_its_name() -> None:
    path = ROOT / "scenarios" / "juicer.yaml"
    for given in (path, str(path)):
        replay = casework.replay(given)
        assert replay.passed
        assert replay.findings == []


def test_the_readmes_program_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                               capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    program = (ROOT / "README.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    exec(compile(program, "README.md", "exec"), {})
    assert capsys.readouterr().out == "['merchant_not_contacted']\n"
