"""What ``casework options`` says of a case, at every version of every scenario, is what happens when it is done.

For every command, of every role and of none: what is allowed succeeds for somebody with something that suits the case, and what
is refused is refused whatever is said that suits it, by the fewest codes that any of it meets. Nothing is carried on:
the facts of a version are asked, and what ``carry_on`` itself says is tried on a throw-away store that holds the rows up to
that version.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from walks import candidates, codes_of, fillings

from casework.application import service
from casework.application.choices import choices
from casework.application.views import facts_of
from casework.domain.commands import COMMANDS, Command
from casework.domain.decide import roles_of
from casework.domain.facts import Facts
from casework.domain.values import Actor
from casework.domain.vocabulary import ROLES
from casework.errors import InputError, Refused
from casework.scenario.replay import files, replay
from casework.store.opening import open_store
from casework.store.row import Row

FILES = files([Path(__file__).parents[1] / "scenarios"])
#: Right away, after the usual days, and after limitation.
LATER = (timedelta(hours=1), timedelta(days=4), timedelta(days=1200))

#: Where an optional field is needed beside a required one, what suits the case says it: :func:`walks.fillings` does so for
#: these and for no others. ``rule``: a ruling for the consumer says its remedy. ``examine_proof``: the party, where the proof is
#: the consumer's.
#: All other optional fields are left out, here as in what options are asked of.
NEEDS_OPTIONAL = {"correct_ruling": {"clause"}, "rule": {"remedy"}, "examine_proof": {"party"}}


def _versions(path: Path) -> Iterator[tuple[list[Row], Facts]]:
    rows = replay(path, lambda rows: []).rows
    for version in range(1, len(rows) + 1):
        facts = facts_of(rows[:version])
        assert facts is not None
        yield rows[:version], facts


class _Trials:
    """What comes of saying everything that suits the case at a version; each thing is put to the guards once."""

    def __init__(self, facts: Facts, at: datetime) -> None:
        self._facts, self._at = facts, at
        self._commands = {name: [msgspec.convert(said, COMMANDS[name], strict=False) for said in fillings(name, facts, at)]
                          for name in COMMANDS}
        self._least: dict[tuple[str, Actor], list[tuple[list[str], Actor, Command]]] = {}

    def fewest(self, name: str, role: str | None) -> list[tuple[list[str], Actor, Command]]:
        """Of everything that somebody (of the role) could say: what meets the fewest codes, with these codes."""
        roles = roles_of(name, self._facts) if role is None else (role,)
        tried = [trial for by in candidates(self._facts, roles) for trial in self._of(name, by)]
        least = min(len(codes) for codes, _, _ in tried)
        return [trial for trial in tried if len(trial[0]) == least]

    def _of(self, name: str, by: Actor) -> list[tuple[list[str], Actor, Command]]:
        if (name, by) not in self._least:
            self._least[name, by] = [(codes_of(name, by, self._at, self._facts, command), by, command)
                                     for command in self._commands[name]]
        return self._least[name, by]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_options_say_is_what_happens_at_every_version(path: Path) -> None:
    differs = []
    for number, (rows, facts) in enumerate(_versions(path)):
        at = facts.at + LATER[number % len(LATER)]
        trials = _Trials(facts, at)
        for role in (None, *ROLES):
            for option in choices(facts, at, role)["triggers"]:
                name = option["trigger"]
                best = trials.fewest(name, role)
                said = [reason["code"] for reason in option["reasons"]]
                if said not in [codes for codes, _, _ in best] or option["allowed"] != (not said):
                    differs.append(f"version {len(rows)} in {facts.state}: {name} by {role or 'anybody'}: options say {said}, "
                                   f"do says {best[0][0]} to {best[0][1]} saying {best[0][2]}")

    assert differs == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_service_does_what_options_allow_and_refuses_what_they_refuse_with_the_same_codes(path: Path) -> None:
    for number, (rows, facts) in enumerate(_versions(path)):
        at = facts.at + LATER[0]
        trials = _Trials(facts, at)
        for place, option in enumerate(choices(facts, at)["triggers"]):
            # What is allowed is always tried; of what is refused, every command once in seven versions.
            if not option["allowed"] and (place + number) % 7:
                continue
            name = option["trigger"]
            codes, by, said = trials.fewest(name, None)[0]
            assert codes == _given(rows, name, said, str(by), at), f"{name} at version {len(rows)}"
            assert (not codes) == option["allowed"], f"{name} at version {len(rows)}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_command_without_its_required_fields_is_refused_as_its_option_is(path: Path) -> None:
    *_, (rows, facts) = _versions(path)
    at = facts.at + LATER[0]
    for role in ("consumer", "merchant", "agent", "system"):
        for option in choices(facts, at, role)["triggers"]:
            if not _required(option["trigger"]) or option["allowed"]:
                continue
            assert _given(rows, option["trigger"], {}, role, at) == [r["code"] for r in option["reasons"]]


@pytest.mark.parametrize("name", COMMANDS)
def test_no_optional_field_is_filled_but_where_it_is_needed(name: str) -> None:
    _, facts = next(_versions(FILES[0]))
    required = set(_required(name))

    for said in fillings(name, facts, facts.at):
        assert required <= set(said) <= required | NEEDS_OPTIONAL.get(name, set())


def _required(name: str) -> list[str]:
    return [f.encode_name for f in msgspec.structs.fields(COMMANDS[name]) if f.required]


def _given(rows: list[Row], name: str, said: dict[str, object] | Command, by: str, at: datetime) -> list[str]:
    """The codes with which the service refuses it; none, if it is done."""
    with open_store(":memory:") as store:
        store.adopt(rows)
        try:
            done = service.carry_on(store, rows[0].case, name, said, by=by, at=at, clock=lambda: at, command_id="trial")
        except Refused as error:
            assert list(store.rows()) == rows
            return error.codes
        except InputError as error:
            return [str(error)]
        assert done.version == len(rows) + 1
        return []
