"""Re-check what is recorded: everything is derived a second time, from the stored rows alone."""
