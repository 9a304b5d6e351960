"""Other people's formats: what their values mean in a case."""
