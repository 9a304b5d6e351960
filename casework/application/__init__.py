"""What is done with cases: commands in, views out."""
