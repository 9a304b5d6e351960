"""Write those pages of this folder that say what the running code holds.

    make docs                          writes them
    python docs/generate.py --check    writes nothing; names the pages that are stale, and exits with 1 if there are any

A page is a generator of blocks (headings, paragraphs, tables). Nothing is said here that the code can say itself: labels,
sentences and clauses come from its tables, explanations from its docstrings.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from inspect import getdoc
from pathlib import Path
from typing import Any

import click
import msgspec
from msgspec import inspect

from casework import errors
from casework.application.scorecard import AFTER_SALES, FEWEST_CASES, FORMULA, SHARES
from casework.audit.codes import FAMILIES, FINDINGS, SEVERITIES
from casework.cli.base import Command as CliCommand
from casework.cli.base import Option
from casework.cli.main import COMMANDS as CLI
from casework.cli.main import casework as group
from casework.domain import clocks, events, grounds, values, versions
from casework.domain.answers import ANSWERS
from casework.domain.beside import TRACK_LABELS, TRACKS
from casework.domain.bodies import NODES, REGIMES, Document
from casework.domain.burden import SITUATIONS, Step
from casework.domain.categories import ALIASES, RULES
from casework.domain.check import Line
from casework.domain.commands import COMMANDS, Command, OpenCase
from casework.domain.duties import DUTIES, OPENINGS, DutyRow
from casework.domain.guards import GUARDS, who_may
from casework.domain.lifecycle import OPEN, STAGE_OF
from casework.domain.machine import lifecycle as process_of
from casework.domain.reasons import REASONS
from casework.domain.remedies import ENTITLEMENTS, Entitlement
from casework.domain.returns import REQUIREMENTS
from casework.domain.standing.commands import PENALTY_ID_PATTERN, STANDING_ACTS, STANDING_COMMANDS
from casework.domain.standing.events import STANDING_EVENT_OF, STANDING_TOPICS, StandingEvent, standing_topic_of
from casework.domain.standing.guards import STANDING_GUARDS
from casework.domain.standing.rules import CURRENT_RULES, STANDING_SINCE, Track
from casework.domain.standing.rules import RULES as STANDING_RULES
from casework.domain.versions import CURRENT, TABLES
from casework.domain.vocabulary import RIGHT_CLAUSES, VOCABULARY, label
from casework.exchange import taobao
from casework.report.explain import explain
from casework.report.lifecycle import as_mermaid
from casework.report.rules import figure
from casework.rulebook.calendar import SHANGHAI
from casework.rulebook.edition import EDITIONS
from casework.rulebook.records import Certainty

FOLDER = Path(__file__).parent
MARK = "<!-- Generated from the running code by `make docs` (docs/generate.py); do not edit. -->"
BREAK = "<br>"


# --- Markdown --------------------------------------------------------------------------------------------------------


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table of GitHub's Markdown, one line a row."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("".join(f"| {text} " if (text := cell(c)) else "| " for c in line) + "|" for line in lines)


def cell(content: object) -> str:
    """Text that stays within its cell: on one line, a pipe in it escaped."""
    return " ".join(str(content).split()).replace("|", r"\|")


def code(*names: str) -> str:
    """Identifiers, by commas."""
    return ", ".join(f"`{name}`" for name in names)


def both(en: str, zh: str) -> str:
    """Both languages in one cell."""
    return en + BREAK + zh


def prose(text: str | None) -> str:
    """A docstring's text, its paragraphs joined; reStructuredText's literals become Markdown's."""
    return " ".join((text or "").split()).replace("``", "`")


def first_line(thing: object) -> str:
    """The first line of a docstring."""
    return prose((getdoc(thing) or "").split("\n")[0])


# --- lifecycle.md ----------------------------------------------------------------------------------------------------


def lifecycle_page() -> Iterator[str]:
    process = process_of(versions.VERSION)
    assert process is not None
    yield "# The lifecycle"
    yield (f"Version {process.version}, as the machine runs it (`casework lifecycle`); a case pins it by its digest "
           f"`{process.digest}`. What a state or a role is called stands in the [vocabulary](vocabulary.md), what a step "
           "has to say in the [commands](commands.md#commands-of-a-case), why it is refused in the [codes](codes.md).")
    yield "由实际运行的状态机生成：状态、步骤、角色、条件，以及不改变状态的记录。"
    yield from (older(version) for version in sorted(TABLES) if version != versions.VERSION)
    for heading, lang in (("Picture", "en"), ("图", "zh")):
        yield f"## {heading}"
        yield "\n".join(["```mermaid", *as_mermaid(process, lang), "```"])

    yield "## States"
    yield table(("state", "中文", "English", "stage"), (
        (code(state), *VOCABULARY["state"][state], both(label("stage", stage, "en"), label("stage", stage, "zh")))
        for state, stage in STAGE_OF.items()))

    yield "## Triggers"
    yield "One row an edge: at most one leaves a state by the same trigger. What a guard asks stands [below](#guards)."
    yield table(("trigger", "中文", "English", "by", "from", "to", "guards"), (
        (code(t.name), t.zh, t.en, code(*(edge.roles or t.roles)), states(edge.sources), code(edge.to) if edge.to else "stays",
         code(*edge.guards))
        for t in CURRENT.triggers for edge in t.edges))

    yield "## Beside the state"
    yield "Acts that leave the state as it is. Some move a [track](#tracks), the small life of a thing within the case."
    yield table(("act", "中文", "English", "by", "in", "guards", "track"), (
        (code(a.name), a.zh, a.en, code(*a.roles), states(a.states), code(*a.guards), code(a.track.name) if a.track else "")
        for a in CURRENT.acts))

    yield "## Tracks"
    yield "The offer's is moved by steps of the lifecycle, the others by the acts above."
    yield table(("track", "中文", "English", "trigger", "from", "to", "act"), (
        (code(name), *TRACK_LABELS[name], code(trigger), code(*sources), code(to),
         code(*(a.name for a in CURRENT.acts if a.track and a.track.name == name and trigger in a.track.triggers)))
        for name, rows in TRACKS.items() for trigger, sources, to in rows))

    yield "## Guards"
    yield f"Before them all, `who_may`. {first_line(who_may)}"
    yield "Every guard of a command is asked, so that a refusal gives all its reasons at once."
    yield table(("guard", "what it asks", "asked of"), (
        (code(name), first_line(guard), asked_of(name)) for name, guard in GUARDS.items()))


def guarded(tables: versions.Tables) -> dict[str, tuple[str, ...]]:
    """Every command of a version with its guards."""
    found = {t.name: tuple(g for edge in t.edges for g in edge.guards) for t in tables.triggers}
    return found | {a.name: a.guards for a in tables.acts}


def asked_of(guard: str) -> str:
    """The commands of which a guard is asked: now, or else by an older version."""
    for version in sorted(TABLES, key=lambda v: (v != versions.VERSION, -v)):
        if users := [name for name, guards in guarded(TABLES[version]).items() if guard in guards]:
            return code(*users) + ("" if version == versions.VERSION else f" (version {version})")
    return ""


def older(version: int) -> str:
    """What a version lacks beside the current one."""
    old, new = guarded(TABLES[version]), guarded(CURRENT)
    kept = [name for name in old if name in new]
    guards = [g for g in GUARDS if any(g in new[name] and g not in old[name] for name in kept)]
    gone = [g for g in GUARDS if any(g in old[name] and g not in new[name] for name in kept)]
    return (f"A case keeps the version that it was opened under. Version {version} "
            + ("" if TABLES[version].duties else "records no [duties](duties.md), ")
            + ("" if process_of(version).explains else "no basis of a ruling, ")  # type: ignore[union-attr]
            + ("" if version >= STANDING_SINCE else "and nothing of the merchant's [standing](standing.md); ")
            + f"it has no {code(*(name for name in new if name not in old))}; of what it has it does not ask {code(*guards)}"
            + (f", but {code(*gone)}" if gone else "")
            + ". [Decision 11](decisions/0011-version-two.md) says why both stand side by side.")


def states(names: Iterable[str]) -> str:
    """States by name; nearly all open ones by what is left out."""
    held = set(names)
    left_out = [state for state in OPEN if state not in held]
    if held == set(STAGE_OF):
        return "every state"
    if held <= set(OPEN) and len(left_out) <= 3:
        return "every open state" + (f" but {code(*left_out)}" if left_out else "")
    return code(*(state for state in STAGE_OF if state in held))


# --- duties.md -------------------------------------------------------------------------------------------------------

#: What becomes of a duty, in words; the terms are those of the vocabulary.
CHANGES = {
    "opened": "It begins, with its end and the rule that gives it.",
    "met": "What it asked for was done; after its end it is *met late*, and that it was missed stays recorded.",
    "missed": "Its end passed. A missed duty can still be met until its states are left.",
    "cancelled": "Its states were left, or something ended it; nothing was missed by that.",
    "paused": "Its clock stands still: `pause_duty`, or a state of the column *clock stops in*.",
    "resumed": "It runs on with the time that was left, in the unit of its rule.",
    "extended": "It was given more time (`extend_duty`, never less), or a new notice or demand set its time anew.",
    "recomputed": "Its calendar was published (`recompute_duty`), or the case went over to a later edition (`adopt_edition`).",
}
#: How each unit is counted, and a rule to show it by with when it begins to run.
UNITS: dict[str, tuple[str, str, str]] = {
    "hour": ("elapsed hours, to the moment", "merchant.response", "2026-02-13T18:30:00+08:00"),
    "day": ("natural days after the day on which it begins, to the end of the last", "refund.after_goods_back",
            "2026-02-11T18:30:00+08:00"),
    "working_day": ("days on which work is done: no weekend, no day off of a public holiday, but the weekends worked for it "
                    "(调休); to the end of the last", "mr12315.accept", "2026-02-10T18:30:00+08:00"),
    "month": ("to the end of the same day of a later month, or of the month's last day where it has none",
              "dispute.suspend.police", "2026-01-31T18:30:00+08:00"),
    "year": ("likewise, years later", "suit.limitation", "2023-02-10T18:30:00+08:00"),
}


def duties_page() -> Iterator[str]:
    yield "# The duties"
    yield ("Who owes what to whom until when. A duty is recorded in the events that open, meet and miss it "
           "([decision 10](decisions/0010-duties-in-the-events.md)), with the figure and the clause that gave its end; "
           "`casework due` lists those that run, `casework tick` does what follows when the time is over.")
    yield "期限：谁应在何时之前向谁做什么，由哪条规则或由谁规定，何时开始、完成、中止，逾期后发生什么。"
    yield "## Kinds"
    yield ("*Begun by* also sets the time anew while the duty runs, but for `merchant_answer`, where asking again gives the "
           "merchant no more time, and for `call_promise`, where each promise is one of its own. *Until* is a "
           "[rule](rules.md), or what the command names.")
    yield table(("duty", "中文", "English", "owes", "to", "begun by", "until"), (
        (code(d.name), *VOCABULARY["duty"][d.name], owes(d), code(d.to), code(*OPENINGS[d.name].by),
         code(*OPENINGS[d.name].rules) or f"what {code(*OPENINGS[d.name].by)} names") for d in DUTIES))
    yield "## Lives"
    yield ("A duty lives only in its states; leaving them cancels it. *If missed* is what `tick` gives in the name of the "
           "system, the first that is allowed; `miss_duty` only records it. Where *decides* says yes the audit reports whoever "
           "decided late (`decided_late`), unless the figure is unverified. A call meets what was promised or asked for in an "
           "earlier one only where it is logged as `answered`: of the promises of the platform, the one that is due first. A "
           "suspension for a court has no limit of its own (争议规则 83): it ends at once where the court refused or ended the "
           "suit or the consumer withdrew it, and by the time to appeal after a judgment was recorded (`settle_referral`) or one "
           "in the file (`court_judgment`) was found authentic. What of this was heard before acceptance was shown counts from "
           "the showing on: a suit given up since the suspension began ends it at once, and after a judgment the time to appeal "
           "runs from the showing, since nobody recorded when the parties were served.")
    yield ("Nobody owes a ruling, or its execution, by a figure: the sources name none for the platform. So a case may stand in "
           "`under_review` or in `ruled` without a duty. 平台何时作出裁决、何时执行，来源中没有期限；因此 "
           "`under_review` 和 `ruled` 中可以没有期限。")
    yield table(("duty", "met by", "in", "ended by", "clock stops in", "if missed", "decides"), (
        (code(d.name), code(*d.meets), states(d.states), code(*d.ended_by), code(*d.stops), code(*d.follows, "miss_duty"),
         "yes" if d.decides else "") for d in DUTIES))
    yield "## Changes"
    yield paragraph(clocks.__doc__, 1)
    yield table(("change", "中文", "English", "what it means"), (
        (code(name), *VOCABULARY["duty_change"][name], CHANGES[name]) for name in VOCABULARY["duty_change"]))
    yield "## How time is counted"
    yield ("In Asia/Shanghai. Of a limit of days or longer the day on which it begins is not counted, and the last one is to its "
           "end (24:00). `casework rules due RULE --from TIME` shows every day that was counted or not.")
    edition = EDITIONS[max(EDITIONS)]
    yield table(("unit", "how", "for example", "from", "until", "its last day"), (
        (code(unit), how, code(rule), shown(datetime.fromisoformat(start)), shown(edition.due(rule, datetime.fromisoformat(
            start)).at), ROLLS[edition.governing(rule, datetime.fromisoformat(start)).roll])
        for unit, (how, rule, start) in UNITS.items()))
    yield ("Whether a last day off moves is the rule's own parameter, since the laws differ. Holidays are those of the State "
           "Council's yearly notice, as the installed `chinesecalendar` has them. A limit that reaches beyond them is "
           "*provisional*: an estimate that nobody is late by, until a later calendar lets `tick` compute it again.")


def paragraph(text: str | None, number: int) -> str:
    """A paragraph of a docstring."""
    return prose((text or "").split("\n\n")[number])


def owes(duty: DutyRow) -> str:
    """Whoever owes it."""
    named = {"party": "the party named", "body": "the outside body"}
    return named.get(duty.owes, code(duty.owes))


def granted_by(row: Entitlement) -> tuple[str, ...]:
    """Who may grant it: as the rulebook says where it gives the figure."""
    edition = EDITIONS[max(EDITIONS)]
    records = edition.of(row.rule) if row.rule and edition.has(row.rule) else []
    return tuple(records[-1].awarded_by) if records and records[-1].awarded_by else row.venues


def shown(moment: datetime) -> str:
    """A time in Shanghai, to the second."""
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


ROLLS = {
    "none": "stays",
    "holiday": "moves off statutory holidays (法定节假日)",
    "rest_day": "moves off any day of rest (法定休假日)",
}


# --- vocabulary.md ---------------------------------------------------------------------------------------------------


def vocabulary_page() -> Iterator[str]:
    yield "# The vocabulary"
    yield ("Every term that a case can hold. The identifier is what events, scenario files and the command line use and never "
           "changes; a label is for people and may. `casework explain KIND:TERM` looks one up.")
    yield "案件可用的全部术语：标识符永不改变，中英文名称供人阅读。"
    yield "Kinds: " + ", ".join(f"[{kind}](#{kind})" for kind in VOCABULARY)
    for kind, terms in VOCABULARY.items():
        head, column = EXTRA.get(kind, ((), lambda term: ()))
        yield f"## {kind}"
        yield table(("term", "中文", "English", *head), ((code(t), *labels, *column(t)) for t, labels in terms.items()))
        yield from AFTER.get(kind, list)()


def stage(term: str) -> tuple[str, ...]:
    return (code(STAGE_OF[term]),)


def needs(term: str) -> tuple[str, ...]:
    """The evidence that a ground needs, and who proves."""
    ground = grounds.GROUNDS[term]
    groups = ("one of " + code(*group) if len(group) > 1 else code(*group) for group in ground.required)
    return f"{BREAK}and ".join(groups), "merchant" if ground.merchant_proves else "consumer"


def clause(term: str) -> tuple[str, ...]:
    return (RIGHT_CLAUSES[term],)


def answers() -> Iterator[str]:
    yield "### What answers an excuse"
    yield table(("excuse", "what the law and the rules say to it", "rests on", "evidence that helps"), (
        (code(excuse), both(a.en, a.zh), a.clause, code(*a.evidence)) for excuse, a in ANSWERS.items()))


#: What a kind has beside its labels: the heads of further columns, and what stands in them.
EXTRA: dict[str, tuple[tuple[str, ...], Callable[[str], tuple[str, ...]]]] = {
    "state": (("stage",), stage),
    "ground": (("needs of evidence", "who proves"), needs),
    "right": (("rests on",), clause),
}
#: What follows the table of a kind.
AFTER: dict[str, Callable[[], Iterable[str]]] = {"excuse": answers}


# --- codes.md --------------------------------------------------------------------------------------------------------

#: 130 is what a shell expects of whoever was interrupted.
STATUSES = {
    0: ("done and clean", "完成"),
    1: ("understood, and the answer is no: refused, a mismatch, or findings", "被拒绝、不符或有问题"),
    2: ("could not run: the question could not be put", "无法运行"),
    130: ("interrupted", "被中断"),
}


def codes_page() -> Iterator[str]:
    yield "# Codes"
    yield "What scenarios and programs may rely on; `casework explain CODE` says the same."
    yield "拒绝代码、审计发现和退出状态：含义、怎么办、依据。"
    yield "## Refusals"
    yield "`…` stands for what a guard fills in. A refusal gives all its codes at once and records nothing."
    head = ("code", "what it says", "what to do", "rests on")
    yield table(head, (meant(name, "refusal") for name in REASONS))
    yield "## Findings"
    yield ("What `casework audit` reports. Errors and warnings make its exit status 1, notes do not and stand apart. "
           "`--select` and `--ignore` take codes, families and severities.")
    yield table(("code", "family", "severity", *head[1:]), (
        (name, text.family, text.severity, *rest) for (name, *rest), text in zip(
            (meant(one, "finding") for one in FINDINGS), FINDINGS.values(), strict=True)))
    yield "## Families of findings"
    yield table(("family", "English", "中文", "codes"), (
        (code(name), line.en, line.zh, code(*(c for c, text in FINDINGS.items() if text.family == name)))
        for name, line in FAMILIES.items()))
    yield "Severities: " + ", ".join(f"`{name}` ({line.zh})" for name, line in SEVERITIES.items()) + "."
    yield "## Exit statuses"
    kinds = [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, errors.CaseworkError)]
    yield table(("status", "what it says", "errors"), (
        (status, both(*text), code(*(e.__name__ for e in kinds if e.status == status))) for status, text in STATUSES.items()))
    yield table(("error", "when"), ((code(e.__name__), first_line(e)) for e in kinds))


def meant(name: str, kind: str) -> tuple[str, ...]:
    [found] = [m for m in explain(name)["meanings"] if m["kind"] == kind]
    mend = found["mend"]
    return code(name), both(found["en"], found["zh"]), both(mend["en"], mend["zh"]), found.get("clause", "")


# --- commands.md -----------------------------------------------------------------------------------------------------


def commands_page() -> Iterator[str]:
    yield "# Commands"
    yield ("First those of the command line, then [those of a case](#commands-of-a-case), which `casework do`, scenario files "
           "and `casework.carry_on` take.")
    yield "先是命令行的命令，再是案件的步骤：字段、类型、是否必填、是否个人信息、由哪个事件记录。"
    yield "## Command line"
    found = {" ".join((name, *sub)): ctx for name in CLI for sub, ctx in contexts(name)}
    shared = set.intersection(*({o.name for o in options(ctx)} for ctx in found.values()))
    some = found["do"]
    yield "Every command takes:"
    yield option_table(some, [o for o in options(some) if o.name in shared])
    yield "`casework` itself takes:"
    yield option_table(click.Context(group), options(click.Context(group)))
    for name, ctx in found.items():
        command = ctx.command
        assert isinstance(command, CliCommand)
        yield f"### casework {name}"
        yield f"`{' '.join([f'casework {name}', *command.collect_usage_pieces(ctx)])}`"
        yield prose(command.help)
        yield command.zh
        if own := [o for o in options(ctx) if o.name not in shared]:
            yield option_table(ctx, own)

    yield "## Commands of a case"
    yield ("A field holds a term of the [vocabulary](vocabulary.md) or one of these: *identity*, letters, digits, `.`, `_` and "
           f"`-`, at most 64; *text*, at most {values.TEXT_BYTES // 1024} KiB in UTF-8; *yuan*, with at most two decimals; "
           f"*time*, ISO 8601 with its offset. A list holds at most {values.LIST_ITEMS} items. A *personal* field holds free "
           "text or personal data. Each command is recorded by one event, under one topic.")
    labels = {name: (term.en, term.zh) for name, term in CURRENT.labels.items()} | {"open_case": ("open a case", "立案")}
    inner: list[type[msgspec.Struct]] = []
    kinds: dict[str, type[Command]] = {"open_case": OpenCase, **COMMANDS}
    for name, kind in kinds.items():
        event = events.EVENT_OF[kind]
        yield f"### {name}"
        yield "*{}* · {}".format(*labels[name])
        yield first_line(kind)
        yield fields(kind, inner)
        known = {f.name for f in msgspec.structs.fields(events.Event)} | {"data"}
        decided = [f.encode_name for f in msgspec.structs.fields(event) if f.name not in known]
        yield (f"Recorded by `{event.__name__}` under `{events.topic_of(event)}`"
               + (f", with what was decided: {code(*decided)}." if decided else "."))
    yield "## Values"
    yield "What a field above holds where that has fields of its own."
    for struct in inner:  # grows while it is walked: a value may hold further ones
        yield f"### {struct.__name__}"
        yield first_line(struct)
        yield fields(struct, inner)


def context(name: str) -> click.Context:
    """A command of the command line, as click parses it."""
    parent = click.Context(group, info_name="casework")
    command = group.get_command(parent, name)
    assert command is not None
    return click.Context(command, parent=parent, info_name=name)


def contexts(name: str) -> Iterator[tuple[tuple[str, ...], click.Context]]:
    """A command as click parses it, and each command of its own; what a group does without one is its default's."""
    ctx = context(name)
    if not isinstance(ctx.command, click.Group):
        yield (), ctx
        return
    for inner, command in ctx.command.commands.items():
        yield () if command.hidden else (inner,), click.Context(command, parent=ctx, info_name=inner)


def options(ctx: click.Context) -> list[Option]:
    return [p for p in ctx.command.params if isinstance(p, Option)]


def option_table(ctx: click.Context, shown: Iterable[Option]) -> str:
    records = [(o, o.get_help_record(ctx)) for o in shown]
    return table(("option", "English", "中文", "required"), (
        (code(record[0]), o.help, o.zh, "yes" if o.required else "") for o, record in records if record))


def fields(kind: type[msgspec.Struct], inner: list[type[msgspec.Struct]]) -> str:
    """The fields of a struct; the structs that they hold are added to ``inner``."""
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    return table(("field", "holds", "required", "otherwise", "personal"), (
        (code(f.encode_name), holds(f.type, inner), "yes" if f.required else "", default(f.default), personal(kind, f.name))
        for f in info.fields))


def personal(kind: type[msgspec.Struct], name: str) -> str:
    """Whether a field is personal, or which part of it."""
    paths = [path for path in values.personal_fields(kind) if path.replace("[]", "").split(".")[0] == name]
    return "yes" if paths == [name] else code(*paths)


def default(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value in (None, (), msgspec.NODEFAULT) else code(str(value))


def holds(kind: Any, inner: list[type[msgspec.Struct]]) -> str:
    """What a field takes, in words; a struct that it takes is added to ``inner``."""
    match kind:
        case inspect.Metadata(extra={"term": term}):
            return f"[{term}](vocabulary.md#{term})"
        case inspect.Metadata(extra={"money": True}):
            return "yuan"
        case inspect.Metadata():
            return holds(kind.type, inner)
        case inspect.UnionType():
            return holds(next(t for t in kind.types if not isinstance(t, inspect.NoneType)), inner)
        case inspect.VarTupleType():
            return ("one or more of " if kind.min_length else "any number of ") + holds(kind.item_type, inner)
        case inspect.StructType():
            if kind.cls not in inner:
                inner.append(kind.cls)
            return f"[{kind.cls.__name__}](#{kind.cls.__name__.lower()})"
        case inspect.LiteralType():
            return " or ".join(sorted(code(str(value)) for value in kind.values))
        case inspect.IntType():
            return f"number, {kind.ge} to {kind.le}"
        case inspect.BoolType():
            return "yes or no"
        case inspect.DateTimeType():
            return "time"
        case inspect.StrType():
            if kind.pattern == PENALTY_ID_PATTERN:
                return "penalty, `CASE/VERSION.NUMBER`"
            return STRINGS.get(str(kind), f"text like {code(kind.pattern or '')}")
    raise TypeError(f"no words for {kind}")


def bare(kind: Any) -> str:
    """What a type is apart from the marks on it."""
    made = inspect.type_info(kind)
    return str(made.type if isinstance(made, inspect.Metadata) else made)


STRINGS = {
    bare(values.Identity): "identity",
    bare(values.Sha256): "SHA-256, 64 hex digits",
    bare(values.Text): "text",
    bare(values.Clause): "text, at most 200 characters",
}


# --- rules.md --------------------------------------------------------------------------------------------------------

CERTAINTY: dict[Certainty, str] = {
    "A": "the article was read",
    "A-": "an excerpt of the article was read",
    "B": "a secondary source",
    "C": "**unverified**",
    "I": "inferred",
}


def rules_page() -> Iterator[str]:
    yield "# The rules"
    yield ("A case keeps the edition that it was opened under. Of the records of one rule the highest rank in force on the day "
           "governs; *chosen by* says whose day that is: of the `act` between the parties, of the `filing`, or of the `decision` "
           "of whoever decides. Days are local in Asia/Shanghai, first and last one included; working days know 调休.")
    yield "规则记录：数值、单位、生效与失效日期、位阶、依据和可信程度；C 表示未经核实。"
    yield "Certainty: " + "; ".join(f"{code(name)}, {words}" for name, words in CERTAINTY.items()) + "."
    yield ("The records lie in `casework/rulebook/records/`, one file a family of instruments; "
           "[how to add one](decisions/0007-rulebook-as-files.md).")
    for edition in reversed(EDITIONS.values()):
        yield f"## Edition {edition.id}"
        yield f"Digest `{edition.digest}`. " + (
            "A limit of days or longer ends with its last day (24:00); *moves* says whether a last day off moves to the next "
            "that is none: a statutory `holiday` (法定节假日) or any `rest_day` (法定休假日)." if edition.whole_days else
            "A limit ends at the clock time at which it began, and no last day moves.")
        yield table(("rule", "figure", "moves", "from", "to", "rank", "chosen by", "clause", "certainty", "what it says"), (
            (code(r.id), figure(r, "en"), r.roll.replace("none", ""), r.from_ or "", r.to or "", r.rank, r.applies_by, r.clause,
             "C, **unverified**" if r.unverified else r.certainty, both(r.en, r.zh))
            for r in edition.records))


# --- advice.md -------------------------------------------------------------------------------------------------------


def advice_page() -> Iterator[str]:
    yield "# Proof, money, other bodies"
    yield ("What `casework burden`, `casework claims` and `casework ways` answer from. How certain a row is: "
           + "; ".join(f"{code(name)}, {words}" for name, words in CERTAINTY.items()) + ". Nothing here is legal advice.")
    yield "举证、主张与外部途径的全部规则行：由谁先证明、能主张什么、可以找谁，及其依据和可信程度。"

    yield "## Who proves what first"
    yield ("Every [ground](vocabulary.md#ground) is in one situation; the last two take a case out of its own. Whoever's "
           "step comes next and stays empty loses. *What the ground needs* stands with the ground.")
    yield table(("situation", "grounds", "the rule", "steps", "rests on", "certainty"), (
        (code(name), code(*row.grounds), said(row.said), BREAK.join(f"{n} {step(s)}" for n, s in enumerate(row.steps, 1)),
         row.clause, sure(row.certainty)) for name, row in SITUATIONS.items()))

    yield "## Rules of categories"
    yield "An order's own word for its category is taken for: " + "; ".join(
        f"{code(c)}: {code(*words)}" for c, words in other_words().items()) + ". Any other is taken for general goods."
    yield table(("rule", "kind", "categories", "grounds", "what it says", "rests on", "certainty"), (
        (code(r.id), r.kind.replace("_", " "), code(*r.categories), code(*r.grounds), said(r.said), r.clause, sure(r.certainty))
        for r in RULES))

    yield "## What may be claimed"
    yield ("*From*: `platform`, what its ruling may award; `mediation`, what both sides may agree on; `court`. Statutory damages "
           "are never the platform's. The figures are the [rulebook's](rules.md), by the edition that the case pins.")
    yield table(("claim", "remedy", "on", "what it is", "from", "figure", "conditions", "rests on", "certainty"), (
        (code(e.id), code(e.kind), code(*e.on), said(e.said), code(*granted_by(e)),
         code(e.rule) if e.rule else e.sum.replace("none", ""),
         BREAK.join(said(c) for c in e.conditions), e.clause, sure(e.certainty)) for e in ENTITLEMENTS))

    yield "## Outside bodies"
    yield table(("way", "body", "what it is", "conditions", "shut out by", "to bring", "time limits", "what comes of it",
                 "rests on", "certainty"), (
        (code(name), code(n.body), said(n.said), code(*n.checks),
         "by the law of the day" if name == "regulator_complaint" else code(*n.shut_out_by),
         BREAK.join(document(d) for d in n.documents), BREAK.join(f"{said(c.said)} ({c.clause})" for c in n.clocks),
         BREAK.join(said(x) for x in (n.outcome, n.effect, n.limits)), n.clause, sure(n.certainty)) for name, n in NODES.items()))

    yield "## What a return and an instant refund require"
    yield "A rule of the goods' category, above, stands in for the general sentence."
    yield table(("requirement", "of", "what it is", "rests on", "certainty"), (
        (code(name), r.of.replace("_", " "), said(r.said), r.clause, sure(r.certainty)) for name, r in REQUIREMENTS.items()))

    yield "## The law of 12315"
    yield table(("law", "from", "to", "what it is", "what differs", "shut out by", "refusal"), (
        (code(r.id), r.first, r.last or "", said(r.said), said(r.notes), code(*r.shuts_out), r.refusal) for r in REGIMES))


def said(line: Line) -> str:
    return both(line.en, line.zh)


def sure(certainty: str) -> str:
    return "C, **unverified**" if certainty == "C" else certainty


def step(s: Step) -> str:
    what = "what the ground needs" if s.own_groups else "one of " + code(*s.proofs, *s.evidence)
    return f"{s.party}: {s.said.en} · {s.said.zh} ({what})"


def document(d: Document) -> str:
    return f"{d.said.en} · {d.said.zh}" + (f" ({code(*d.kinds)})" if d.kinds else "")


def other_words() -> dict[str, list[str]]:
    """Category -> the words for it that are not its own identifier."""
    found: dict[str, list[str]] = {}
    for word, category in ALIASES.items():
        if word != category:
            found.setdefault(category, []).append(word)
    return found


# --- standing.md -----------------------------------------------------------------------------------------------------


def standing_page() -> Iterator[str]:
    rules = STANDING_RULES[CURRENT_RULES]
    yield "# The merchant's standing"
    yield ("What rulings and unpaid advances come to over all cases of a merchant, in a stream of its own, `merchant:ID`, "
           f"recorded in the transaction of the ruling for cases of lifecycle {STANDING_SINCE} and later. `casework merchant ID` "
           "shows it. Why it is so stands in [decision 8](decisions/0008-merchant-standing.md).")
    yield "商家记录：处罚、扣分与节点、措施、垫付欠款、申诉、公示，以及由案件记录得出的记分卡。扣分和节点均未经核实。"
    yield "## Tracks and nodes"
    yield f"Version {CURRENT_RULES} of the table. A penalty counts on the track of its case's ground."
    yield table(("track", "中文", "English", "grounds", "nodes", "certainty", "clause"), (
        (code(name), *VOCABULARY["points_track"][name], code(*track.grounds) or "all others", BREAK.join(nodes(track)),
         CERTAINTY[track.certainty], track.clause) for name, track in rules.tracks.items()))
    yield f"Clearing ({CERTAINTY[rules.clearing_certainty]}): {rules.clearing}."
    yield ("Points belong to the local year (Asia/Shanghai) of the ruling and are cleared when it ends; nothing has to be run "
           "for that. " + " ".join(
               f"On `{name}`, {track.carries[0]} to {track.carries[1] - 1} points of one year count through the next year too."
               for name, track in rules.tracks.items() if track.carries))
    yield "## Commands of a merchant"
    yield "`casework do merchant:ID COMMAND`, `casework options merchant:ID`; scenario files take them as steps."
    inner: list[type[msgspec.Struct]] = []
    for name, kind in STANDING_COMMANDS.items():
        act, event = STANDING_ACTS[name], STANDING_EVENT_OF[kind]
        yield f"### {name}"
        yield f"*{act.en}* · {act.zh}. By {code(*act.roles)}."
        yield f"{first_line(kind)} {first_line(STANDING_GUARDS[name])}"
        yield fields(kind, inner)
        yield f"Recorded by `{event.__name__}` under `{standing_topic_of(event)}`."
    yield "## What follows from cases"
    follows = [(topic, kind) for topic, kind in STANDING_TOPICS.items() if kind not in STANDING_EVENT_OF.values()]
    data = {topic: msgspec_data(kind) for topic, kind in follows}
    yield table(("event", "what it holds", "fields"), (
        (code(topic), first_line(data[topic]), code(*data[topic].__struct_fields__)) for topic, _ in follows))
    yield "## The scorecard"
    yield ("Counted from recorded cases, nothing in it is an opinion; no score below "
           f"{FEWEST_CASES} cases. `casework merchant ID --json` gives every count.")
    yield f"`{FORMULA}`"
    yield table(("share", "English", "中文"), ((code(name), text.en, text.zh) for name, text in SHARES.items()))
    yield "After-sales grounds: " + code(*AFTER_SALES) + "."


def nodes(track: Track) -> Iterator[str]:
    for node in track.nodes:
        span = f", {node.days} days" if node.days else ""
        yield f"{node.points}: {code(node.measure)}{span}"


def msgspec_data(kind: type[StandingEvent]) -> type[msgspec.Struct]:
    [found] = [f.type for f in msgspec.structs.fields(kind) if f.name == "data"]
    assert isinstance(found, type) and issubclass(found, msgspec.Struct)
    return found


# --- taobao.md -------------------------------------------------------------------------------------------------------


def taobao_page() -> Iterator[str]:
    yield "# Taobao's values"
    yield ("Each value of Taobao's and Tmall's refund interfaces and what it means in a case: the [states](lifecycle.md#states) "
           "that it allows (the first where nothing more is known), facts beside the state, and the "
           "[commands](commands.md#commands-of-a-case) that record what a message tells, the likeliest way first. "
           "`casework explain taobao:WAIT_SELLER_AGREE` says the same in words.")
    yield "淘宝、天猫退款接口的每个取值，以及它在个案中的含义；没有对应的写明原因。"
    yield table(("fact", "English", "中文"), ((code(name), f.en, f.zh) for name, f in taobao.FACTS.items()))
    for name, g in taobao.GROUPS.items():
        yield f"## {name}"
        yield f"{g.en[0].upper()}{g.en[1:]} · {g.zh}. Source: {g.source}."
        if g.note:
            yield both(g.note.en, g.note.zh)
        yield table(("value", "number", "label", "states", "facts", "commands", "then", "note"), (
            (code(v.code), "" if v.number is None else v.number, both(v.en, v.zh),
             code(*v.states) if v.mapped else "*not mapped*", facts(v), ways(v), code(v.leads_to) if v.leads_to else "",
             both(v.note.en, v.note.zh) if v.note else "")
            for v in taobao.VALUES if v.group == name))


def facts(value: taobao.Value) -> str:
    kinds = dict.fromkeys(kind for kind, _ in value.facts)
    return "; ".join(f"{code(kind)}: " + " or ".join(code(term) for k, term in value.facts if k == kind) for kind in kinds)


def ways(value: taobao.Value) -> str:
    return " or ".join(" → ".join(code(command) for command in way) for way in value.ways)


# --- all of them -----------------------------------------------------------------------------------------------------

PAGES: dict[str, Callable[[], Iterable[str]]] = {
    "lifecycle.md": lifecycle_page,
    "duties.md": duties_page,
    "vocabulary.md": vocabulary_page,
    "codes.md": codes_page,
    "commands.md": commands_page,
    "rules.md": rules_page,
    "advice.md": advice_page,
    "standing.md": standing_page,
    "taobao.md": taobao_page,
}


def page(name: str) -> str:
    """A page as it has to be."""
    return "\n\n".join([MARK, *PAGES[name]()]) + "\n"


def stale(folder: Path) -> list[str]:
    """The pages that are not there or differ."""
    return [name for name in PAGES
            if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != page(name)]


def main(arguments: Sequence[str]) -> int:
    """Write, or check."""
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    names = stale(FOLDER)
    for name in names:
        if not arguments:
            (FOLDER / name).write_text(page(name), encoding="utf-8", newline="\n")
        print(f"docs/{name}: " + ("stale; run: make docs" if arguments else "written"))
    return 1 if arguments and names else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
