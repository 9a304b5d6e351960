"""casework: consumer complaints as event-sourced cases.

The few names that a library user needs; each is imported when it is first used.

>>> import casework
>>> with casework.open_store(":memory:") as store:
...     casework.audit_store(store)
[]
"""

from __future__ import annotations

__version__ = "0.1.0"

#: Not of typing, whose import would take longer than all else that ``casework --version`` does.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from casework.errors import CaseworkError, Refused
    from casework.library import audit_store, carry_on, history, merchant, open_case, options, replay, show
    from casework.store.opening import open_store

_HOMES = {
    "open_store": "casework.store.opening",
    "CaseworkError": "casework.errors",
    "Refused": "casework.errors",
    **dict.fromkeys(("audit_store", "carry_on", "history", "merchant", "open_case", "options", "replay", "show"),
                    "casework.library"),
}

__all__ = ["CaseworkError", "Refused", "audit_store", "carry_on", "history", "merchant", "open_case", "open_store", "options",
           "replay", "show"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'casework' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
