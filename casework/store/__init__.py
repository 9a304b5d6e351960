"""Where events live: one table of events behind one :func:`~casework.store.opening.open_store`."""
