"""The store in a database of PostgreSQL, for many writers on many machines."""
