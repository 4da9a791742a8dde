"""Data sets as Keras gives them: ``(x_train, y_train), (x_test, y_test) = mnist.load_data()``."""

from tensorgrad.keras.datasets import mnist

__all__ = ["mnist"]
