"""Optimizers, with PyTorch's names, arguments and formulas.

Schedules of the learning rate are in :mod:`.lr_scheduler`, averages of weights in :mod:`.swa_utils`.
"""

from tensorgrad.optim import lr_scheduler, swa_utils
from tensorgrad.optim.adadelta import Adadelta
from tensorgrad.optim.adagrad import Adagrad
from tensorgrad.optim.adam import Adam, AdamW
from tensorgrad.optim.adamax import Adamax
from tensorgrad.optim.lbfgs import LBFGS
from tensorgrad.optim.lr_finder import LRCurve, find_lr
from tensorgrad.optim.nadam import NAdam
from tensorgrad.optim.optimizer import Optimizer
from tensorgrad.optim.radam import RAdam
from tensorgrad.optim.rmsprop import RMSprop
from tensorgrad.optim.rprop import Rprop
from tensorgrad.optim.sgd import SGD

__all__ = [
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "LRCurve",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "find_lr",
    "lr_scheduler",
    "swa_utils",
]
