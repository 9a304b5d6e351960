"""The store in one SQLite file: read, written, copied and looked after."""
