"""The merchant's standing: what rulings and unpaid advances come to over all his cases, a stream of events of its own."""
