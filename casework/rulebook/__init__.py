"""Versioned rules as data (``records``), which of them governs and until when (``edition``), and the time arithmetic
of the People's Republic's deadlines (``calendar``)."""
