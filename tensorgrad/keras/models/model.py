"""Model: a layer that can be compiled, fitted, evaluated, and saved."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tensorgrad.autograd import Tensor, no_grad
from tensorgrad.errors import CheckpointError
from tensorgrad.keras import losses, metrics, optimizers
from tensorgrad.keras.callbacks import Callback, History
from tensorgrad.keras.fitting import (
    Batches,
    KerasTrainer,
    Samples,
    Tracked,
    as_array,
    as_samples,
    batches_of,
    first_input,
)
from tensorgrad.keras.layers.base import Layer
from tensorgrad.keras.models.content import content_of
from tensorgrad.keras.progress import EvaluationLogger, ProgbarLogger
from tensorgrad.keras.summary import show, table
from tensorgrad.ops.casting import astype
from tensorgrad.ops.creation import asarray
from tensorgrad.serialization import load, save
from tensorgrad.training import Trainer

IGNORED = ("run_eagerly", "jit_compile", "steps_per_execution", "auto_scale_loss")
"""Options of ``compile`` that say how Keras computes, and change nothing here."""


class Model(Layer):
    """The base class of models: a layer with ``compile``, ``fit``, ``evaluate`` and ``predict``.

    :class:`Sequential` is the usual one. A model of one's own makes its layers in ``__init__`` and computes its output
    in ``call(inputs)``.

    Args:
        name: of the model.
        trainable: whether its weights are learned.
        options: as of :class:`~tensorgrad.keras.layers.Layer`.

    Example:
        >>> from tensorgrad.keras import layers
        >>> class Net(Model):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.hidden = layers.Dense(8, activation="relu")
        ...         self.out = layers.Dense(1)
        ...
        ...     def call(self, inputs):
        ...         return self.out(self.hidden(inputs))
        >>> net = Net()
        >>> net.compile(optimizer="sgd", loss="mse")
        >>> history = net.fit(np.ones((4, 2)), np.ones(4), epochs=2, verbose=0)
        >>> len(history.history["loss"])
        2
    """

    def __init__(self, *inputs: Any, name: str | None = None, trainable: bool = True, **options: Any) -> None:
        if inputs or {"inputs", "outputs"} & set(options):
            raise NotImplementedError(
                "Model(inputs, outputs) is Keras's functional API, which is not there: put layers into a Sequential, "
                "or write a subclass of Model with a method call()."
            )
        super().__init__(name=name, trainable=trainable, **options)
        self.optimizer: Any = None
        self.loss: Any = None
        self.stop_training = False
        self.history: History | None = None
        self._compiled: dict[str, Any] | None = None
        self._loss: losses.Loss | None = None
        self._metrics: list[metrics.Metric] = []
        self._weighted: list[metrics.Metric] = []

    # -- layers ----------------------------------------------------------------------------------------------

    @property
    def layers(self) -> list[Layer]:
        """The layers, in order."""
        return self._layers()

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of a name, or at a place.

        Raises:
            ValueError: if there is none, or not just one of both is given.
        """
        layers = self.layers
        if (name is None) == (index is None):
            raise ValueError(f"get_layer() takes a name or an index, got {name!r} and {index!r}.")
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ValueError(f"there is no layer {index}: {self.name} has {len(layers)}.")
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        raise ValueError(f"there is no layer {name!r}; {self.name} has: {', '.join(x.name for x in layers) or 'none'}.")

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Prints a table of the layers.

        Args:
            line_length, positions, layer_range: accepted, and not needed.
            print_fn: a function in the place of print.
            expand_nested: whether the layers of models within are shown.
            show_trainable: whether there is a column that says so.
        """
        show(table(self, line_length, expand_nested, show_trainable), print_fn)

    # -- compiling -------------------------------------------------------------------------------------------

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Sequence[Any] | None = None,
        weighted_metrics: Sequence[Any] | None = None,
        **ignored: Any,
    ) -> None:
        """Says how the model is trained.

        Args:
            optimizer: a name, such as ``"rmsprop"``, or one of :mod:`tensorgrad.keras.optimizers`.
            loss: a name, such as ``"categorical_crossentropy"``, a loss, or a function of ``(y_true, y_pred)``.
            loss_weights: must be None: models have one output.
            metrics: names, such as ``"accuracy"``, metrics, or functions of ``(y_true, y_pred)``.
            weighted_metrics: those that go by ``sample_weight`` and ``class_weight``.
            ignored: ``run_eagerly``, ``jit_compile`` and the like, which change nothing.

        Raises:
            ValueError: for an unknown name; lists the known ones. Nothing is changed then.
        """
        unknown = [name for name in ignored if name not in IGNORED]
        if unknown:
            raise TypeError(f"compile() takes no {', '.join(unknown)}.")
        if loss_weights is not None:
            raise NotImplementedError(
                "compile() takes no loss_weights: a model has one output, and one loss. Metrics are given by "
                "their name, metrics=[...]."
            )
        made = optimizers.get(optimizer)
        compiled_loss = None if loss is None else losses.as_loss(loss)
        usual, weighted = (_as_metrics(given) for given in (metrics, weighted_metrics))
        names = [metric.name for metric in usual + weighted]
        if len(set(names)) < len(names) or "loss" in names:
            raise ValueError(f"the metrics must have different names, none of them 'loss'; they are {names}.")
        self.optimizer, self.loss, self._loss = made, loss, compiled_loss
        self._metrics, self._weighted, self.stop_training = usual, weighted, False
        self._compiled = {"loss": loss, "metrics": metrics, "weighted_metrics": weighted_metrics}

    @property
    def compiled(self) -> bool:
        """Whether ``compile`` was called."""
        return self._compiled is not None

    @property
    def compiled_loss(self) -> losses.Loss:
        """The loss as an object.

        Raises:
            RuntimeError: if there is none.
        """
        if self._compiled is None:
            raise RuntimeError(
                f"{self.name} must be compiled first: model.compile(optimizer='rmsprop', "
                f"loss='categorical_crossentropy', metrics=['accuracy'])."
            )
        if self._loss is None:
            raise RuntimeError(f"{self.name} was compiled without a loss: give compile() one.")
        return self._loss

    @property
    def metrics(self) -> list[Any]:
        """The metrics."""
        return self._metrics + self._weighted

    @property
    def metrics_names(self) -> list[str]:
        """``"loss"``, and the names of the metrics: what ``evaluate`` returns, in order."""
        return ["loss", *(metric.name for metric in self.metrics)]

    @property
    def tracked(self) -> dict[str, Tracked]:
        """The metrics as a Trainer takes them."""
        usual = {metric.name: Tracked(metric, False) for metric in self._metrics}
        return usual | {metric.name: Tracked(metric, True) for metric in self._weighted}

    def reset_metrics(self) -> None:
        """Lets all metrics forget."""
        for metric in self.metrics:
            metric.reset_state()

    # -- training --------------------------------------------------------------------------------------------

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: Callback | Sequence[Callback] | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int = 1,
    ) -> History:
        """Trains the model, by a :class:`tensorgrad.training.Trainer`.

        Args:
            x: an array with a sample in each row; or batches ``(x, y)`` or ``(x, y, sample_weight)``, as of a
                :class:`tensorgrad.data.DataLoader`; or a dataset.
            y: the targets.
            batch_size: how many samples there are in a batch, 32 by default.
            epochs: the number of the last epoch, those before ``initial_epoch`` included.
            verbose: 0: silent; 1, or ``"auto"``: a line for each epoch, and on a terminal a bar before it (tqdm's);
                2: lines alone.
            callbacks: see :mod:`tensorgrad.keras.callbacks`.
            validation_split: this part of the samples, the last ones, is not trained with but looked at.
            validation_data: what is looked at after each epoch: ``(x, y)``, ``(x, y, sample_weight)``, or batches.
            shuffle: whether the samples are in another order in each epoch.
            class_weight: what samples count, by their class.
            sample_weight: what each counts.
            initial_epoch: how many epochs there have been.
            steps_per_epoch: how many batches make an epoch; what is left is for the next one.
            validation_steps: how many batches are looked at.
            validation_batch_size: how many samples these have.
            validation_freq: must be 1.

        Returns:
            A :class:`~tensorgrad.keras.callbacks.History`, whose ``history`` has the figures by name.

        Raises:
            RuntimeError: if it was not compiled.
            ValueError: for data that do not go together.
            FloatingPointError: if the loss is no number.
        """
        if validation_freq != 1:
            raise NotImplementedError("fit() looks at the validation data after each epoch: validation_freq must be 1.")
        _ = self.compiled_loss
        data = as_samples(x, y, sample_weight)
        if isinstance(data, Samples):
            if validation_split and validation_data is None:
                data, validation_data = data.split(validation_split)
            data.weigh(class_weight)
        elif validation_split or class_weight is not None:
            raise ValueError("validation_split and class_weight are for arrays: give validation_data, and weights.")
        train = batches_of(data, batch_size, shuffle, steps_per_epoch)
        valid = self._validation(validation_data, validation_batch_size or batch_size, validation_steps)
        self._prepare(train)
        history = History()
        chosen = _listed(callbacks)
        if verbose:
            chosen.append(ProgbarLogger(None if verbose in ("auto", 1, True) else False))
        params = {"verbose": 1 if verbose == "auto" else int(verbose), "epochs": epochs, "steps": _length(train)}
        self.stop_training = False
        self.history = history
        trainer = KerasTrainer(self, [*chosen, history], params)
        trainer.epoch = initial_epoch
        try:
            trainer.fit(train, epochs, valid)
        finally:
            self.eval()
        return history

    def _validation(self, data: Any, batch_size: int | None, steps: int | None) -> Any:
        if data is None:
            return None
        if isinstance(data, (tuple, list)):
            if len(data) not in (2, 3):
                raise ValueError(f"validation_data is (x, y) or (x, y, sample_weight), got {len(data)} parts.")
            data = as_samples(*data)
        return batches_of(data, batch_size, steps=steps)

    def _build_by(self, batches: Any) -> None:
        """Builds the model, if it is not, by a first input."""
        if not self.built:
            with no_grad():
                self(asarray(first_input(batches))[:1])

    def _prepare(self, batches: Any) -> None:
        """Builds the model, if it is not, and gives the optimizer its parameters."""
        self._build_by(batches)
        named = [(name, parameter) for name, parameter in self.named_parameters() if parameter.requires_grad]
        if not named:
            raise ValueError(f"{self.name} has no weights that could be learned. Are all its layers frozen?")
        self.optimizer.build(named)

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Mapping[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Takes one step with a batch.

        Returns:
            The loss of the batch, or a list of it and the metrics; a dict, if that is asked for.
        """
        _ = self.compiled_loss
        samples = Samples(x, y, sample_weight)
        samples.weigh(class_weight)
        batch = Batches([samples.batch(np.arange(len(samples)))])
        self._prepare(batch)
        trainer = KerasTrainer(self, [], {})
        try:
            row = trainer.fit(batch, 1)[-1]
        finally:
            self.eval()
        return self._figures({name: row[name] for name in self.metrics_names}, return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """The loss and the metrics of one batch; arguments as of :meth:`train_on_batch`."""
        return self.evaluate(x, y, len(asarray(x)), 0, sample_weight, return_dict=return_dict)

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Callback | Sequence[Callback] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """The loss and the metrics of all samples together.

        Args:
            x, y, sample_weight: as of :meth:`fit`.
            batch_size: how many samples there are in a batch, 32 by default.
            verbose: 0: silent; otherwise a line is printed.
            steps: how many batches are looked at.
            callbacks: told of it.
            return_dict: whether to return a dict.

        Returns:
            The loss, or, if there are metrics, a list of it and these, in the order of ``metrics_names``.
        """
        _ = self.compiled_loss
        batches = batches_of(as_samples(x, y, sample_weight), batch_size, steps=steps)
        self._build_by(batches)
        chosen = _listed(callbacks)
        params = {"verbose": 0, "epochs": 1, "steps": _length(batches)}
        figures = KerasTrainer(self, [*chosen, *[EvaluationLogger()] * bool(verbose)], params).evaluate(batches)
        return self._figures(figures, return_dict)

    def _figures(self, figures: Mapping[str, Any], return_dict: bool) -> Any:
        if return_dict:
            return dict(figures)
        values = list(figures.values())
        return values if len(values) > 1 else values[0]

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        steps: int | None = None,
        callbacks: Callback | Sequence[Callback] | None = None,
    ) -> np.ndarray:
        """What comes out for all samples, as NumPy's array.

        Args:
            x: an array with a sample in each row, or batches, of which targets are left out.
            batch_size: how many samples there are in a batch, 32 by default.
            verbose: accepted; nothing is printed.
            steps: how many batches.
            callbacks: told of it.
        """
        chosen = _listed(callbacks)
        for callback in chosen:
            callback.set_model(self)
            callback.on_predict_begin({})
        batches = batches_of(as_samples(x), batch_size, steps=steps)
        # A Trainer without an optimizer: it is not asked to train.
        trainer = Trainer(self, None, losses.mean_squared_error)  # type: ignore[arg-type]
        result = trainer.predict(batches).numpy()
        for callback in chosen:
            callback.on_predict_end({})
        return result

    def predict_on_batch(self, x: Any) -> np.ndarray:
        """What comes out for one batch, as NumPy's array."""
        with no_grad():
            return np.asarray(self(asarray(as_array("x", x)), training=False).numpy())

    # -- being called ----------------------------------------------------------------------------------------

    def _taken(self, x: Any) -> Any:
        """The input; integers become fractions, unless they are to be looked up."""
        x = super()._taken(x)
        if isinstance(x, Tensor) and x.dtype.kind != "f" and not self._looks_up():
            return astype(x, self.dtype, copy=False)
        return x

    def _looks_up(self) -> bool:
        layers = self.layers
        return bool(layers) and (layers[0].takes_integers or (isinstance(layers[0], Model) and layers[0]._looks_up()))

    # -- saving ----------------------------------------------------------------------------------------------

    def save(self, filepath: str | os.PathLike[str], overwrite: bool = True, include_optimizer: bool = True) -> None:
        """Writes the model to a file: architecture, weights, how it was compiled, the state of the optimizer.

        The file is tensorgrad's own (see :func:`tensorgrad.save`), whatever it is called; Keras cannot read it.

        Args:
            filepath: such as ``"model.keras"``.
            overwrite: whether a file that is there may be replaced.
            include_optimizer: whether to save how it was compiled.

        Raises:
            FileExistsError: if there is a file, and it may not be replaced.
            TypeError: for a layer whose configuration cannot be saved.
        """
        if not overwrite and os.path.exists(filepath):
            raise FileExistsError(f"{os.fspath(filepath)!r} exists: say overwrite=True to replace it.")
        save(content_of(self, include_optimizer), filepath)

    def save_weights(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Writes the weights to a file, as :func:`tensorgrad.save` does with a state_dict."""
        if not overwrite and os.path.exists(filepath):
            raise FileExistsError(f"{os.fspath(filepath)!r} exists: say overwrite=True to replace it.")
        save(self.state_dict(), filepath)

    def load_weights(self, filepath: str | os.PathLike[str]) -> None:
        """Reads what :meth:`save_weights` or :meth:`save` wrote.

        Raises:
            ValueError: if the model is not built.
            CheckpointError: if it is no such file, or has the weights of another model; nothing is changed then.
        """
        if not self.built:
            raise ValueError(f"{self.name} is not built: it has no weights yet that could be loaded.")
        content = load(filepath)
        if not isinstance(content, dict):
            raise CheckpointError(f"{os.fspath(filepath)!r} holds no weights.")
        self.load_state_dict(content["weights"] if "tensorgrad.keras" in content else content)

    def to_json(self, **options: Any) -> str:
        """The architecture as JSON; ``keras.models.model_from_json`` makes a model of it."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **options)


def _as_metrics(given: Any) -> list[Any]:
    if given is None:
        return []
    if isinstance(given, str) or callable(given) or not isinstance(given, (list, tuple)):
        given = [given]
    return [metrics.as_metric(item) for item in given]


def _listed(callbacks: Any) -> list[Callback]:
    return [callbacks] if isinstance(callbacks, Callback) else list(callbacks or ())


def _length(batches: Any) -> int | None:
    try:
        return len(batches)
    except TypeError:
        return None
