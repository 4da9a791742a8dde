"""The ops, by family: each forward beside the rules of its derivative."""
