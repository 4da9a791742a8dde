"""Optimizers, with PyTorch's names, arguments and formulas.

Schedules of the learning rate are in :mod:`.lr_scheduler`, averages of weights in :mod:`.swa_utils`.

Keras's optimizers have formulas of their own in places: momentum remembers steps, the learning rate of their time
included, and epsilon stands elsewhere. Each of their settings can be said here, and is the same step for step:

==============================================  =====================================================================
Keras 2                                         here
==============================================  =====================================================================
``SGD(lr, momentum, nesterov=n)``               ``SGD(params, lr, momentum, nesterov=n, lr_in_velocity=True)``
``RMSprop(lr, rho, epsilon)``                   ``RMSprop(params, lr, alpha=rho, eps=epsilon)``
``Adagrad(lr, epsilon)``                        ``Adagrad(params, lr, eps=epsilon)``
``Adadelta(lr, rho, epsilon)``                  ``Adadelta(params, lr, rho, eps=epsilon)``
``Adam(lr, b1, b2, epsilon)``                   ``Adam(params, lr, (b1, b2), eps=epsilon, eps_hat=True)``
``Adamax(lr, b1, b2, epsilon)``                 ``Adamax(params, lr, (b1, b2), eps=epsilon, eps_in_max=False)``
``Nadam(lr, b1, b2, epsilon, schedule_decay)``  ``NAdam(params, lr, (b1, b2), epsilon, momentum_decay=schedule_decay)``
``decay`` of any but Nadam                      ``lr_scheduler.InverseTimeLR(optimizer, decay)``, stepped every update
==============================================  =====================================================================

Keras 3 differs from Keras 2 in ``RMSprop(params, lr, rho, epsilon, momentum=m, eps_in_root=True,
lr_in_velocity=True)``, ``Adagrad(params, lr, initial_accumulator_value=a + epsilon, eps=0.0)`` (epsilon is under the
root) and ``NAdam(..., momentum_decay=1.0)``. Keras's epsilon is 1e-7 where none is given.
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
