"""Hostile input: what is fed to the command line, and what it must answer."""
