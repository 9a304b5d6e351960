"""The store in a database of PostgreSQL, for many writers on many machines."""

from casework.errors import StoreError

try:
    import psycopg as _client  # noqa: F401
except ImportError as _error:
    _why = str(_error).splitlines()[0][:80]
    raise StoreError(f"a store in PostgreSQL needs the extra: pip install 'casework[postgres]' ({_why})",
                     f"PostgreSQL 案件库需要附加组件：pip install 'casework[postgres]'（{_why}）") from None
