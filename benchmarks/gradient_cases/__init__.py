"""Gradients that are wrong, and gradients that are right where that is hard to see: made by hand, and at random."""
