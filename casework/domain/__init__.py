"""The case: its vocabulary, lifecycle, rules, commands, events and facts. Uses nothing of casework but its errors."""
