"""What the peers of bench/peers.py are given, where it takes a module of its own."""
