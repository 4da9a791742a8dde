"""Images in folders, and tables: what is read, in which order, and what is refused."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data import CSVDataset, DataLoader, ImageFolder, read_image
from tensorgrad.data import transforms as T

Image = pytest.importorskip("PIL.Image")


@pytest.fixture
def root(tmp_path):
    """Two classes, of images of different sizes."""
    for name, colour, size in (
        ("dog/b.PNG", (0, 255, 0), (5, 4)),
        ("dog/deep/a.jpg", (9, 9, 9), (4, 4)),
        ("cat/c.png", (255, 0, 0), (6, 3)),
    ):
        path = tmp_path / "animals" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, colour).save(path)
    (tmp_path / "animals" / "dog" / "notes.txt").write_text("good dog")
    (tmp_path / "animals" / ".hidden").mkdir()
    return tmp_path / "animals"


def test_classes_and_images_in_alphabetical_order(root) -> None:
    animals = ImageFolder(root)
    assert animals.classes == ["cat", "dog"]
    assert animals.class_to_idx == {"cat": 0, "dog": 1}
    assert [(path.name, number) for path, number in animals.samples] == [("c.png", 0), ("b.PNG", 1), ("a.jpg", 1)]
    image, number = animals[1]
    assert (image.dtype, image.shape, number) == (np.uint8, (3, 4, 5), 1)
    assert image[:, 0, 0].tolist() == [0, 255, 0]
    assert image.flags.c_contiguous
    assert "3 images of 2 classes" in repr(animals)


def test_in_a_loader(root) -> None:
    animals = ImageFolder(root, T.Compose([T.ToFloat(), T.Resize((2, 2))]))
    ((x, y),) = DataLoader(animals, batch_size=3)
    assert (x.shape, x.dtype, y.tolist()) == ((3, 3, 2, 2), "float32", [0, 1, 1])
    assert x[0, :, 0, 0].tolist() == [1, 0, 0]


@pytest.mark.parametrize(("mode", "channels"), [("RGB", 3), ("L", 1), ("RGBA", 4)])
def test_colours(root, mode: str, channels: int) -> None:
    assert ImageFolder(root, mode=mode)[0][0].shape == (channels, 3, 6)


def test_an_image_that_is_turned(tmp_path) -> None:
    image = Image.fromarray(np.arange(6, dtype=np.uint8).reshape(2, 3))
    exif = Image.Exif()
    exif[0x0112] = 3
    image.save(tmp_path / "turned.png", exif=exif)
    assert read_image(tmp_path / "turned.png", "L").tolist() == [[[5, 4, 3], [2, 1, 0]]]


def test_images_that_are_none(root, tmp_path) -> None:
    (root / "cat" / "c.png").write_bytes(b"no image")
    with pytest.raises(OSError, match=r"c\.png cannot be read as an image"):
        ImageFolder(root)[0]
    whole = (root / "dog" / "b.PNG").read_bytes()
    (root / "cat" / "c.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(OSError, match="cannot be read as an image"):
        ImageFolder(root)[0]
    with pytest.raises(FileNotFoundError):
        read_image(tmp_path / "nothing.png")


def test_folders_that_are_none(tmp_path, root, monkeypatch) -> None:
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        ImageFolder(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="has no folders, one for each class"):
        ImageFolder(root / "cat")
    (root / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="empty' has no images"):
        ImageFolder(root)
    with pytest.raises(ValueError, match="'RGB', 'L' or 'RGBA', not 'CMYK'"):
        ImageFolder(root, mode="CMYK")
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match="pip install pillow"):
        ImageFolder(root)


# -- tables ----------------------------------------------------------------------------------------------------


def table(folder, text: str, **options):
    (folder / "t.csv").write_text(text)
    return CSVDataset(folder / "t.csv", **options)


def test_tables(tmp_path) -> None:
    numbers = table(tmp_path, "a,b,c\n1,2,3\n4,5,6\n\n")
    assert [[part.tolist() for part in numbers[i]] for i in (0, 1)] == [[[1, 2], 3], [[4, 5], 6]]
    assert (numbers[0][0].dtype, numbers[0][1].dtype, numbers.classes) == ("float32", "int64", None)
    reals = table(tmp_path, "a;y;b\n1;0.5;3\n4;2;6\n", target="y", delimiter=";")
    assert (reals.names, reals[0][1].dtype, reals[1][1].item()) == (["a", "b"], "float32", 2)
    words = table(tmp_path, "kind,a\nx,1\ny,2\nx,3\n", target=0)
    assert (words.classes, [int(words[i][1]) for i in range(3)]) == (["x", "y"], [0, 1, 0])
    bare = table(tmp_path, "1,2\n3,4\n", target=None, header=False)
    assert (len(bare), len(bare[0]), bare[1][0].tolist(), bare.names) == (2, 1, [3, 4], ["0", "1"])
    chosen = table(tmp_path, 'name,a,y\n"x, y",1,2\n', features=["a"])
    assert (chosen.names, chosen[0][0].tolist()) == (["a"], [1])
    ((x, y),) = DataLoader(words, batch_size=3)
    assert isinstance(x, tg.Tensor)
    assert (x.shape, y.tolist()) == ((3, 1), [0, 1, 0])


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("", {}, "has no rows"),
        ("a,b\n", {}, "has no rows"),
        ("a,b\n1,2\n3\n", {}, "line 3: 1 columns, where there are 2"),
        ("a,b\n1,2\nx,3\n", {}, "line 3: 'a' is 'x', which is no number"),
        ("a,b\n,2\n", {}, "line 2: 'a' is '', which is no number"),
        ("a,b\n1,2\n", {"target": "c"}, "has 0 columns 'c'; it has a, b"),
        ("a,a\n1,2\n", {"target": "a"}, "has 2 columns 'a'"),
        ("a,b\n1,2\n", {"target": 2}, "has no column 2; it has 2"),
        ("a,b\n1,\n2,3\n", {}, "the target 'b' is missing in 1 rows"),
    ],
)
def test_tables_that_make_no_sense(tmp_path, text: str, options: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        table(tmp_path, text, **options)


def test_targets(tmp_path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        Image.new("L", (2, 2)).save(tmp_path / name / "1.png")
    animals = ImageFolder(tmp_path, target_transform=lambda number: 10 * number)
    assert animals.targets == [0, 1]
    assert [target for _, target in animals] == [0, 10]
