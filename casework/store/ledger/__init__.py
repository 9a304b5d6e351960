"""What proves the history: leaves and tree in the store, signed checkpoints in a journal outside, witnesses beside."""
