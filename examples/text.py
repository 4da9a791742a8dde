"""Reads whether a sentence praises or blames, by word embeddings and a convolution over three words at a time.

A little grammar writes the sentences: each praises or blames two things, but one of the two with a negation. So "the
plot was good and the ending was not bad" is praise, and "the plot was not good and the ending was bad" is blame: the
same words in another order. A network that sees which words there are, but not in which order, can only guess; filters
over three neighbouring words see what is negated.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import common
import numpy as np
from evaluation import evaluate

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.data import DataLoader, TensorDataset
from tensorgrad.nn import functional as F
from tensorgrad.optim import Adam

TRAIN, TEST = 2000, 500
THINGS = ["plot", "acting", "music", "ending", "dialogue", "story", "cast", "humour", "editing", "camera"]
PRAISE = ["good", "great", "funny", "clever", "moving", "brilliant"]
BLAME = ["bad", "dull", "weak", "clumsy", "boring", "awful"]
DEGREES = ["", "", "really", "very", "so"]
NEGATIONS = ["not", "never", "hardly"]
OPENINGS = ["", "i think", "we saw it on sunday and", "my friends say that", "to be honest"]
PADDING = "."
"""The word that fills sentences up to one length; its number is 0."""


def make_sentences(count: int, random: np.random.Generator) -> tuple[list[list[str]], np.ndarray]:
    """Sentences, as lists of words, and whether they praise (1) or blame (0)."""

    def pick(words: Sequence[str]) -> str:
        return words[random.integers(len(words))]

    sentences, labels = [], random.integers(0, 2, count)
    for is_praise in labels:
        plain, denied = (PRAISE, BLAME) if is_praise else (BLAME, PRAISE)
        clauses = [
            f"the {pick(THINGS)} was {pick(DEGREES)} {pick(plain)}",
            f"the {pick(THINGS)} was {pick(NEGATIONS)} {pick(DEGREES)} {pick(denied)}",
        ]
        random.shuffle(clauses)
        sentences.append(f"{pick(OPENINGS)} {' and '.join(clauses)}".split())
    return sentences, labels


def encode(sentences: list[list[str]]) -> tuple[np.ndarray, list[str]]:
    """Sentences as numbers of words, shape (N, L), filled up with 0 to the longest; and the words by their numbers."""
    vocabulary = [PADDING, *sorted({word for words in sentences for word in words})]
    number = {word: index for index, word in enumerate(vocabulary)}
    codes = np.zeros((len(sentences), max(map(len, sentences))), dtype=np.int64)
    for row, words in zip(codes, sentences, strict=True):
        row[: len(words)] = [number[word] for word in words]
    return codes, vocabulary


class BagOfWords(nn.Module):
    """Words without order: the mean of their embeddings, and two layers that judge it."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, 16, padding_idx=0)
        self.judge = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 2))

    def forward(self, words: tg.Tensor) -> tg.Tensor:
        return self.judge(self.embedding(words).mean(axis=1))  # (N, L) -> (N, L, 16) -> (N, 16) -> (N, 2)


class TextCNN(nn.Module):
    """Filters over three neighbouring words; of each, the place where it fires most counts (Kim, 2014)."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, 16, padding_idx=0)
        self.filters = nn.Conv1d(16, 16, kernel_size=3, padding=1)
        self.judge = nn.Linear(16, 2)

    def fire(self, words: tg.Tensor) -> tg.Tensor:
        """How much each filter fires at each place: (N, L) -> (N, 16, L)."""
        channels_first = self.embedding(words).permute(0, 2, 1)  # (N, L, 16) -> (N, 16, L)
        return F.relu(self.filters(channels_first))

    def forward(self, words: tg.Tensor) -> tg.Tensor:
        return self.judge(self.fire(words).max(axis=2))  # -> (N, 16) -> (N, 2)


def train(model: nn.Module, train_set: TensorDataset, args: argparse.Namespace) -> None:
    """Trains a network to tell praise from blame."""
    loader = DataLoader(train_set, batch_size=50, shuffle=True)
    optimizer = Adam(model.parameters(), lr=5e-3)
    for epoch in range(1, args.epochs + 1):
        for words, labels in loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(words), labels)
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch:2}: loss {loss.item():.4f}")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the example; returns the exit code."""
    args = common.start(argv, __doc__, "text", epochs=10)
    sentences, labels = make_sentences(TRAIN + TEST, np.random.default_rng(args.seed))
    codes, vocabulary = encode(sentences)
    train_set, test_set = (
        TensorDataset(*(tg.tensor(array[part], device=args.device) for array in (codes, labels)))
        for part in (slice(TRAIN), slice(TRAIN, None))
    )
    for words, label in zip(sentences[:4], labels, strict=False):
        print(f"{'praise' if label else 'blame '}: {' '.join(words)}")

    found = {}
    for name, kind in (("bag of words", BagOfWords), ("convolution over words", TextCNN)):
        print(name)
        model = kind(len(vocabulary))
        train(model.to(args.device), train_set, args)
        found[f"test accuracy of the {name}, %"] = 100 * evaluate(model, test_set).accuracy
    triples = strongest_triples(model, codes, vocabulary)
    for number, words, weight in triples:
        print(f"filter {number:2} speaks for {'praise' if weight > 0 else 'blame '}: {', '.join(words[:3])}")
    found["filters of the six strongest that fire on a negation"] = sum(
        any(word in words[0].split() for word in NEGATIONS) for _, words, _ in triples
    )
    drawing = partial(draw, model, triples, codes[TRAIN:], labels[TRAIN:], vocabulary)
    return common.finish(args, found, triples=drawing)


@tg.no_grad()
def strongest_triples(model: TextCNN, codes: np.ndarray, vocabulary: list[str]) -> list[tuple[int, list[str], float]]:
    """Of the six filters that matter most: number, the word triples that they fire on most, and what they speak for."""
    fires = model.fire(tg.tensor(codes, device=model.judge.weight.device)).numpy()
    against, speaks_for = model.judge.weight.numpy()
    matters = np.abs(speaks_for - against) * fires.max(axis=2).std(axis=0)
    result = []
    for number in np.argsort(-matters)[:6].tolist():
        triples: dict[str, None] = {}
        for flat in np.argsort(-fires[:, number], axis=None)[:5000]:
            sentence, place = divmod(int(flat), codes.shape[1])
            padded = [0, *codes[sentence], 0]
            triples[" ".join(vocabulary[word] for word in padded[place : place + 3])] = None
            if len(triples) == 5:
                break
        result.append((number, list(triples), float(speaks_for[number] - against[number])))
    return result


@tg.no_grad()
def draw(
    model: TextCNN,
    triples: list[tuple[int, list[str], float]],
    codes: np.ndarray,
    labels: np.ndarray,
    vocabulary: list[str],
    file: Path,
) -> None:
    """Draws the triples that the filters fire on, and in some sentences where the words speak for praise or blame."""
    import plots

    figure = plots.new_figure(14, 6.4, "What the filters of the convolution look for")
    above, below = figure.subplots(2, 1, height_ratios=[6, 8])
    reach = max(abs(weight) for _, _, weight in triples)
    for column, (number, words, weight) in enumerate(triples):
        color = plots.SIDES(0.5 + 0.3 * weight / reach)
        above.text(column, 0, f"filter {number}: {'praise' if weight > 0 else 'blame'}", weight="bold", ha="center")
        for row, triple in enumerate(words, start=1):
            above.text(
                column, row, triple, ha="center", va="center", size=10, bbox={"facecolor": color, "linewidth": 0}
            )
    above.set(xlim=(-0.5, len(triples) - 0.5), ylim=(5.6, -0.5))
    above.set_title("The three words that each of the strongest filters fires on most", size=11)

    chosen = [index for label in (1, 0) for index in np.flatnonzero(labels == label)[:4]]
    words = tg.tensor(codes[chosen], device=model.judge.weight.device)
    fires = model.fire(words).numpy()
    probabilities = F.softmax(model(words), dim=1).numpy()
    speaks = model.judge.weight.numpy()[1] - model.judge.weight.numpy()[0]
    # What the maximum takes from each place, times what the judge makes of it.
    taken = fires * (fires == fires.max(axis=2, keepdims=True))
    evidence = np.einsum("nfl,f->nl", taken, speaks)
    most = np.abs(evidence).max()
    below.imshow(evidence, cmap=plots.SIDES, vmin=-1.5 * most, vmax=1.5 * most, aspect="auto")
    for row, sentence in enumerate(codes[chosen]):
        for column, word in enumerate(sentence):
            below.text(column, row, vocabulary[word] if word else "", ha="center", va="center", size=10)
        below.text(codes.shape[1] - 0.4, row, f"praise: {probabilities[row, 1]:.0%}", va="center", size=10)
    below.set_title(
        "Test sentences; at the middle one of three words, blue speaks for praise and orange for blame", size=11
    )
    for axes in (above, below):
        plots.bare(axes)
        axes.spines[:].set_visible(False)
    plots.save(figure, file)


if __name__ == "__main__":
    sys.exit(common.end_on_interrupt(main))
