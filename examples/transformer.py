"""A tiny transformer that reads dates as people write them, such as "saturday, march 7, 1987", and writes 1987-03-07.

The encoder reads the letters, all at once. The decoder writes one character after the other: it looks at what it has
written so far, which a mask sees to, and at the letters that the encoder has read. Where it looks while it writes is
the picture: nobody has told it that "march" is 03, nor where in a date the year stands.
"""

from __future__ import annotations

import argparse
import datetime
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import common
import numpy as np

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.data import DataLoader, TensorDataset
from tensorgrad.nn import functional as F
from tensorgrad.optim import Adam
from tensorgrad.optim.lr_scheduler import OneCycleLR

TRAIN, TEST = 6000, 500
FORMATS = [
    "{day} {month} {year}",
    "{month} {day}, {year}",
    "{weekday}, {month} {day}, {year}",
    "{day}. {month} {year}, a {weekday}",
    "{day}.{number}.{year}",
    "{weekday} {day}.{number}.{year}",
    "in {year}, on {month} {day}",
]
MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
PADDING, START = "_", ">"
CHARACTERS = PADDING + START + " ,.-0123456789abcdefghijklmnopqrstuvwxyz"
"""A character's place is its number; that of the padding is 0."""
LENGTH = len("1987-03-07")


def make_dates(count: int, random: np.random.Generator) -> list[tuple[str, str]]:
    """Days from 1900 to 2099, no two alike, each as people write it and as it is to be written."""
    first = datetime.date(1900, 1, 1)
    dates = []
    for number in random.choice(200 * 365, count, replace=False).tolist():
        date = first + datetime.timedelta(days=number)
        month = MONTHS[date.month - 1]
        parts = {
            "day": date.day,
            "month": month if random.integers(2) else month[:3],
            "number": date.month,
            "year": date.year,
            "weekday": WEEKDAYS[date.weekday()],
        }
        dates.append((FORMATS[random.integers(len(FORMATS))].format(**parts), date.isoformat()))
    return dates


def encode(texts: Sequence[str]) -> np.ndarray:
    """Texts as numbers of characters, shape (N, L), filled up with 0 to the longest."""
    length = max(map(len, texts))
    return np.array([[CHARACTERS.index(character) for character in text.ljust(length, PADDING)] for text in texts])


class Translator(nn.Module):
    """A transformer from characters to characters.

    Args:
        features: how many numbers stand for a character.
        heads: into how many heads of the attention they are divided.
        longest: how long a text may be.
    """

    def __init__(self, features: int = 64, heads: int = 4, longest: int = 40) -> None:
        super().__init__()
        self.characters = nn.Embedding(len(CHARACTERS), features)
        self.places = nn.Embedding(longest, features)
        options = {"dim_feedforward": 2 * features, "dropout": 0.0, "batch_first": True, "norm_first": True}
        self.transformer = nn.Transformer(features, heads, num_encoder_layers=1, num_decoder_layers=1, **options)
        self.scores = nn.Linear(features, len(CHARACTERS))

    def embed(self, codes: tg.Tensor) -> tg.Tensor:
        """What each character is, and where it stands: attention itself knows no order. (N, L) -> (N, L, features)."""
        return self.characters(codes) + self.places(tg.arange(codes.shape[1], device=codes.device))

    def forward(self, source: tg.Tensor, written: tg.Tensor) -> tg.Tensor:
        """Scores (N, T, characters) of what follows each character that is written, from it and those before it."""
        padding = source == 0
        decoded = self.transformer(
            self.embed(source),
            self.embed(written),
            src_key_padding_mask=padding,
            memory_key_padding_mask=padding,
            tgt_is_causal=True,
        )
        return self.scores(decoded)

    @tg.no_grad()
    def write(self, source: tg.Tensor) -> tg.Tensor:
        """Writes dates (N, 10), each character the likeliest after those before it."""
        written = tg.full((len(source), 1), CHARACTERS.index(START), dtype="int64", device=source.device)
        for _ in range(LENGTH):
            following = self(source, written)[:, -1].argmax(axis=-1)
            written = tg.concat([written, following[:, None]], axis=1)
        return written[:, 1:]


def train(model: Translator, source: tg.Tensor, target: tg.Tensor, args: argparse.Namespace) -> None:
    """Trains on dates (N, L) and the start and what is to be written (N, 11)."""
    loader = DataLoader(TensorDataset(source, target), batch_size=64, shuffle=True)
    optimizer = Adam(model.parameters(), lr=4e-3)
    schedule = OneCycleLR(optimizer, max_lr=4e-3, total_steps=args.epochs * len(loader))
    for epoch in range(1, args.epochs + 1):
        for dates, written in loader:
            optimizer.zero_grad()
            # Every character is to be told from those before it, all of them at once.
            scores = model(dates, written[:, :-1])
            loss = F.cross_entropy(scores.flatten(0, 1), written[:, 1:].flatten())
            loss.backward()
            optimizer.step()
            schedule.step()
        print(f"epoch {epoch:2}: loss {loss.item():.4f}", flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the example; returns the exit code."""
    args = common.start(argv, __doc__, "transformer", epochs=8)
    dates = make_dates(TRAIN + TEST, np.random.default_rng(args.seed))
    for text, right in dates[:5]:
        print(f"{text} -> {right}")
    source = tg.tensor(encode([text for text, _ in dates]), device=args.device)
    target = tg.tensor(encode([START + right for _, right in dates]), device=args.device)
    model = Translator().to(args.device)
    print(f"{sum(parameter.size for parameter in model.parameters()):,} parameters")
    train(model, source[:TRAIN], target[:TRAIN], args)

    tests = dates[TRAIN:]
    model.eval()
    right = model.write(source[TRAIN:]) == target[TRAIN:, 1:]
    looks = look(model, source[TRAIN:], target[TRAIN:, :-1])
    found = {
        "new dates written without a mistake, %": 100 * right.all(axis=1).float().mean().item(),
        "characters of them right, %": 100 * right.float().mean().item(),
        "of the looks while it writes the year, at the year, %": 100 * looks_at_the_year(tests, looks),
        "so many there would be by chance, %": 100 * np.mean([4 / len(text) for text, _ in tests]).item(),
    }
    return common.finish(args, found, attention=partial(draw, tests, looks))


@tg.no_grad()
def look(model: Translator, source: tg.Tensor, written: tg.Tensor) -> np.ndarray:
    """How much the decoder looks at each letter (N, 10, L) while it writes each character, the mean of all heads."""
    seen = []

    def watch(attention: nn.MultiheadAttention, args: tuple, output: tuple) -> None:
        query, key, value, padding, *_ = args
        seen.append(attention.forward(query, key, value, padding)[1].numpy())

    hook = model.transformer.decoder.layers[-1].multihead_attn.register_forward_hook(watch)
    model(source, written)
    hook.remove()
    return seen[0]


def looks_at_the_year(tests: Sequence[tuple[str, str]], looks: np.ndarray) -> float:
    """Which part of the attention goes to the digits of the year, while these are written."""
    places = [text.index(right[:4]) for text, right in tests]
    return float(np.mean([each[:4, place : place + 4].sum() / 4 for each, place in zip(looks, places, strict=True)]))


def draw(tests: Sequence[tuple[str, str]], looks: np.ndarray, file: Path) -> None:
    """Draws where the decoder looks in four dates."""
    import plots

    chosen = [next(i for i, (text, _) in enumerate(tests) if wanted(text)) for wanted in SHOWN]
    figure = plots.new_figure(11, 7.4, "Where it looks (across) while it writes (down)")
    for axes, i in zip(figure.subplots(2, 2).flat, chosen, strict=True):
        text, right = tests[i]
        shown = axes.imshow(looks[i][:, : len(text)], cmap="Blues", vmin=0, vmax=1, aspect="auto")
        axes.set_xticks(range(len(text)), list(text))
        axes.set_yticks(range(LENGTH), list(right))
        axes.tick_params(length=0)
        axes.set_title(f"{text}  ->  {right}", size=10)
    figure.colorbar(shown, ax=figure.axes, shrink=0.6).set_label("share of the attention, mean of all heads")
    plots.save(figure, file)


SHOWN = [
    lambda text: text[0].isdigit() and text[-1].isdigit() and "." not in text,
    lambda text: text.count(",") == 2,
    lambda text: text.startswith("in "),
    lambda text: text.count(".") == 2,
]
"""Which dates are drawn: the first of each of these kinds."""


if __name__ == "__main__":
    sys.exit(common.end_on_interrupt(main))
