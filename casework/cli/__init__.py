"""The command line: parse, call, render. Nothing else knows click, the clock or the environment."""
