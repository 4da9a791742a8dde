"""Data sets as Keras gives them: ``(x_train, y_train), (x_test, y_test) = mnist.load_data()``."""

from tensorgrad.keras.datasets import cifar10, cifar100, fashion_mnist, mnist

__all__ = ["cifar10", "cifar100", "fashion_mnist", "mnist"]
