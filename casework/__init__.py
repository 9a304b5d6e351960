"""casework: consumer complaints as event-sourced cases.

The few names that a library user needs; each is imported when it is first used.

>>> import casework
>>> store = casework.open_store(":memory:")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from casework.application.choices import choices as options
    from casework.application.service import carry_on, open_case
    from casework.audit.check import audit
    from casework.errors import CaseworkError, Refused
    from casework.scenario.replay import replay
    from casework.store.opening import open_store

_HOMES = {
    "open_store": ("casework.store.opening", "open_store"),
    "open_case": ("casework.application.service", "open_case"),
    "carry_on": ("casework.application.service", "carry_on"),
    "options": ("casework.application.choices", "choices"),
    "replay": ("casework.scenario.replay", "replay"),
    "audit": ("casework.audit.check", "audit"),
    "CaseworkError": ("casework.errors", "CaseworkError"),
    "Refused": ("casework.errors", "Refused"),
}

__all__ = ["CaseworkError", "Refused", "audit", "carry_on", "open_case", "open_store", "options", "replay"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'casework' has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _HOMES[name]
    return getattr(import_module(module), attribute)
