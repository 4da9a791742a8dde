"""The gradient checker, from a function of anybody's to a verdict with reasons."""
