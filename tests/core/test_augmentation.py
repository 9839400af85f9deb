"""Augmentation against cases worked by hand, and by numpy."""

import numpy as np
import pytest
import torch

from core.augmentation import augment, moved, turned
from core.image_config import ImageConfig
from core.training import generator


def pictures(n: int = 40, channels: int = 3, side: int = 9) -> torch.Tensor:
    return torch.rand(n, channels, side, side, generator=torch.Generator().manual_seed(0))


def by(**settings: object) -> ImageConfig:
    return ImageConfig.model_validate(settings)


def shifted(picture: np.ndarray, right: int, down: int) -> np.ndarray:
    """By numpy: rolled, and black where it came in again from the other side."""
    _, h, w = picture.shape
    rolled = np.roll(picture, (down, right), axis=(1, 2)).copy()
    rolled[:, : max(down, 0)] = rolled[:, h + min(down, 0) :] = 0
    rolled[:, :, : max(right, 0)] = rolled[:, :, w + min(right, 0) :] = 0
    return rolled


def test_without_any_of_them_the_pictures_stay_and_nothing_is_drawn() -> None:
    x, draws = pictures(), generator(0, "augment")
    before = draws.get_state()
    assert augment(x, by(), draws) is x
    assert torch.equal(draws.get_state(), before)


def test_a_shift_is_a_roll_with_black_behind() -> None:
    x = pictures(6)
    right, down = torch.tensor([0, 2, -3, 0, 8, -9]), torch.tensor([0, -1, 4, 5, -8, 0])
    for one, picture, r, d in zip(moved(x, right, down), x, right, down, strict=True):
        np.testing.assert_array_equal(one.numpy(), shifted(picture.numpy(), int(r), int(d)))


def test_shifts_are_uniform_up_to_the_setting_and_each_picture_has_its_own() -> None:
    x = torch.zeros(2000, 1, 9, 9)
    x[:, :, 4, 4] = 1
    found = augment(x, by(shift=2), generator(0, "augment")).flatten(1).argmax(1)
    rows, columns = found // 9 - 4, found % 9 - 4
    for places in (rows, columns):
        counts = np.bincount(places.numpy() + 2, minlength=5)
        assert len(counts) == 5 and counts.min() > 320, "2,000 over -2 … 2"
    assert abs(np.corrcoef(rows, columns)[0, 1]) < 0.1


def test_a_flip_mirrors_every_other_picture() -> None:
    x = pictures(400)
    flipped = augment(x, by(flip=True), generator(0, "augment"))
    mirrored = (flipped == x.flip(3)).flatten(1).all(1)
    assert ((flipped == x).flatten(1).all(1) ^ mirrored).all()
    assert 150 < int(mirrored.sum()) < 250


@pytest.mark.parametrize(("degrees", "turns"), [(0.0, 0), (90.0, 1), (-90.0, -1), (180.0, 2)])
def test_a_quarter_turn_is_that_of_numpy(degrees: float, turns: int) -> None:
    x = pictures(3)
    expected = np.rot90(x.numpy(), turns, axes=(2, 3))  # counter-clockwise
    np.testing.assert_allclose(turned(x, torch.full((3,), degrees)).numpy(), expected, atol=1e-5)


def test_a_turn_moves_a_point_along_its_circle_and_leaves_black() -> None:
    x = torch.ones(1, 1, 33, 33)
    around = turned(x, torch.tensor([45.0]))
    assert around[0, 0, 0, 0] == 0 and around[0, 0, 16, 16] == 1
    x = torch.zeros(1, 1, 33, 33)
    x[0, 0, 15:18, 27:30] = 1  # 12 to the right of the middle
    y, column = np.unravel_index(int(turned(x, torch.tensor([30.0])).argmax()), (33, 33))
    assert (16 - y, column - 16) == pytest.approx((12 * 0.5, 12 * np.sqrt(3) / 2), abs=1)


def test_turns_stay_within_the_setting_and_each_picture_has_its_own() -> None:
    x = torch.zeros(500, 1, 33, 33)
    x[:, :, 15:18, 27:30] = 1
    found = augment(x, by(rotate=30.0), generator(0, "augment"))
    place = torch.arange(33.0) - 16
    down, right = ((found * part).sum((1, 2, 3)) for part in (place[:, None], place[None, :]))
    angles = torch.rad2deg(torch.atan2(-down, right))
    assert 27 < float(angles.max()) < 31 and -31 < float(angles.min()) < -27 and abs(float(angles.mean())) < 2


def test_noise_has_the_deviation_of_the_setting_and_stays_in_range() -> None:
    x = torch.full((50, 3, 9, 9), 0.5)
    noisy = augment(x, by(pixel_noise=0.1), generator(0, "augment"))
    assert float((noisy - x).std()) == pytest.approx(0.1, abs=0.005) and abs(float((noisy - x).mean())) < 0.005
    noisy = augment(x, by(pixel_noise=1.0), generator(0, "augment"))
    assert float(noisy.min()) == 0 and float(noisy.max()) == 1


def test_the_same_generator_gives_the_same() -> None:
    x, settings = pictures(), by(shift=3, rotate=20.0, flip=True, pixel_noise=0.2)
    once, again, other = (augment(x, settings, generator(seed, "augment")) for seed in (1, 1, 2))
    assert torch.equal(once, again) and not torch.equal(once, other)
    assert once.shape == x.shape and not torch.equal(x, once)
