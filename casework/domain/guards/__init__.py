"""The guards: pure questions ``(facts, request) -> reasons``. No reason means yes.

A guard never changes anything and looks at nothing but its two arguments, so that the audit can put the same question
about any past step. They stand by what they ask about; :mod:`casework.domain.guards.registry` gives them their names.
"""

from casework.domain.guards.amounts import MONEY, PROMISES, REFUNDS
from casework.domain.guards.external import EXCLUSIVE, SHUTS_OUT
from casework.domain.guards.merchant import order_is_consistent
from casework.domain.guards.registry import GUARDS
from casework.domain.guards.ruling import NEW_GROUNDS
from casework.domain.guards.terms import limitation
from casework.domain.guards.who import same_identity, who_may

__all__ = [
    "EXCLUSIVE", "GUARDS", "MONEY", "NEW_GROUNDS", "PROMISES", "REFUNDS", "SHUTS_OUT", "limitation", "order_is_consistent",
    "same_identity", "who_may",
]
