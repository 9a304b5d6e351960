"""Cases of one merchant, carried through the service to a ruling with penalties, and what the store then says of him."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from casework.application.merchant import merchant_view
from casework.application.service import Done, carry_on, open_case
from casework.audit.check import audit
from casework.store.opening import open_store
from casework.store.store import Store

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
_COUNT = itertools.count()
REFUND = {"kind": "refund", "amount": "100.00"}


class Market:
    """A store with cases of merchants, and a clock that goes on by an hour with every step."""

    def __init__(self, store: Store | None = None, start: datetime = START) -> None:
        self.store = store or open_store(":memory:")
        self.now = start

    def __enter__(self) -> Market:
        return self

    def __exit__(self, *error: object) -> None:
        self.store.close()

    def do(self, stream: str, name: str, by: str = "consumer", /, **said: Any) -> Done:
        self.now += timedelta(hours=1)
        return carry_on(self.store, stream, name, said, by=by, clock=lambda: self.now,
                        command_id=f"{stream}-{next(_COUNT)}")

    def wait(self, **span: float) -> Market:
        self.now += timedelta(**span)
        return self

    def at(self, *moment: int) -> Market:
        """Go on to that moment, in UTC."""
        self.now = datetime(*moment, tzinfo=UTC)  # type: ignore[arg-type, misc]
        return self

    def open(self, case: str, merchant: str = "M-1", ground: str = "counterfeit") -> Market:
        order = {"id": "ORD-1", "item": "口红", "category": "cosmetics", "merchant": merchant, "paid": "100.00",
                 "ordered_at": (self.now - timedelta(days=3)).isoformat()}
        open_case(self.store, case, {"order": order, "consumer": "C-1", "ground": ground}, by="consumer",
                  clock=lambda: self.now, command_id="open")
        return self

    def reviewed(self, case: str, merchant: str = "M-1", ground: str = "counterfeit") -> Market:
        """A case that is ready to be ruled by A-1."""
        self.open(case, merchant, ground)
        for kind in ("comparison_photo", "batch_number", "chat_record", "listing_snapshot", "detail_photo"):
            self.do(case, "add_evidence", kind=kind, description="证据")
        self.do(case, "contact_merchant", message="请处理")
        self.do(case, "file", claim="refund", statement="请处理")
        self.do(case, "accept_complaint", "agent")
        self.do(case, "answer", "merchant", statement="意见")
        return self

    def rule(self, case: str, *penalties: Any, by: str = "agent") -> Done:
        """Rule for the consumer; a number among the penalties is a deduction of so many points, a text a kind."""
        laid = [{"kind": "point_deduction", "points": p} if isinstance(p, int) else {"kind": p} for p in penalties]
        return self.do(case, "rule", by, outcome="for_consumer", findings="经查", clause="争议规则 66", remedy=REFUND,
                       penalties=laid)

    def ruled(self, case: str, *penalties: Any, merchant: str = "M-1", ground: str = "counterfeit") -> Market:
        self.reviewed(case, merchant, ground)
        self.rule(case, *penalties)
        return self

    def escalated(self, case: str) -> Market:
        """A ruled case that S-1 is to review."""
        self.do(case, "escalate", "merchant", statement="不服")
        self.do(case, "assign", "supervisor", to="supervisor:S-1")
        self.do(case, "answer", "consumer", statement="维持")
        return self

    def view(self, merchant: str = "M-1", at: datetime | None = None, as_of: datetime | None = None) -> dict[str, Any]:
        return merchant_view(self.store.rows(), merchant, at or self.now, as_of=as_of)

    def points(self, track: str = "counterfeit", at: datetime | None = None) -> int:
        points: int = self.view(at=at)["points"][track]["points"]
        return points

    def nodes(self, status: str = "in_force") -> list[int]:
        return [m["node"] for m in self.view()["measures"] if m["status"] == status]

    def findings(self) -> list[tuple[str, str, int]]:
        return [(f.code, f.case, f.version) for f in audit(self.store.rows()) if f.severity != "note"]

    @property
    def topics(self) -> list[str]:
        """What the merchants' streams hold, by the last word of the topics."""
        return [r.topic.rpartition(".")[2] for r in self.store.rows() if r.case.startswith("merchant:")]
