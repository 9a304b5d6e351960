"""Stories as files: read one, replay it, say where it differs from what it expects."""
