"""Labels stand in free room, near what they name, and not on one another."""

import numpy as np

from ICHVolumeLib.report.label_places import place_labels

PIXEL_MM, TEXT_MM = (0.5, 0.5), (30.0, 8.0)


def covered(busy, place):
    x, y = (round(value / 0.5) for value in place)
    return busy[y - 7:y + 7, x - 28:x + 28].any()


def test_a_label_stands_beside_its_point_when_nothing_is_in_the_way():
    (place,) = place_labels(np.zeros((300, 400), bool), PIXEL_MM, TEXT_MM, [[(100.0, 70.0)]])
    assert abs(place[0] - 100) <= 16 and abs(place[1] - 70) <= 5


def test_a_label_leaves_the_skull_free():
    busy = np.zeros((300, 400), bool)
    busy[:, 160:] = True
    (place,) = place_labels(busy, PIXEL_MM, TEXT_MM, [[(90.0, 70.0)]])
    assert not covered(busy, place)
    assert place[0] > 55, "farther away than it has to be"


def test_two_labels_of_one_point_stand_apart():
    first, second = place_labels(np.zeros((300, 400), bool), PIXEL_MM, TEXT_MM, [[(100.0, 70.0)]] * 2)
    assert abs(first[0] - second[0]) >= 29 or abs(first[1] - second[1]) >= 7.5


def test_without_free_room_a_label_stands_where_it_covers_least():
    busy = np.ones((100, 100), bool)
    busy[60:70] = False
    (place,) = place_labels(busy, PIXEL_MM, TEXT_MM, [[(25.0, 10.0)]])
    assert abs(place[1] - 32.5) <= 2


def test_a_picture_smaller_than_the_label_still_gets_one():
    (place,) = place_labels(np.zeros((5, 5), bool), PIXEL_MM, TEXT_MM, [[(1.0, 1.0)]])
    assert np.isfinite(place).all()
