"""Trials of the store with real processes: races, crashes, faults. Counts are parameters; every choice comes from a seed.

``nursery`` starts processes cheaply, ``commands`` makes the work and keeps a journal of what was acknowledged, ``verdict``
holds a store against such journals; ``races``, ``crashes`` and ``faults`` are the trials.

``shim`` records the system calls of a process, or makes them fail; ``disk`` says what a power cut may leave of them; ``place`` is
where the files of a trial lie and the one place that opens their store. ``powerloss`` and ``diskfaults`` are trials over these,
and ``counts`` puts the older ones in the same shape: counts and a seed go in, a ``result`` comes out.
"""
