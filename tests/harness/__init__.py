"""Trials of the store with real processes: races, crashes, faults. Counts are parameters; every choice comes from a seed.

``nursery`` starts processes cheaply, ``commands`` makes the work and keeps a journal of what was acknowledged, ``verdict``
holds a store against such journals; ``races``, ``crashes`` and ``faults`` are the trials.
"""
