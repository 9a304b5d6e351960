"""Versioned rules as data: what a record is (``records``), the files that hold them (``files``), which of them governs,
until when and how much (``edition``, ``counting``, ``money``), and the calendar of the People's Republic (``calendar``)."""
