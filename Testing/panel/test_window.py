"""The windows that show blood: given once to a CT that has none, and at a click."""

import pytest


@pytest.fixture
def shown(panel):
    def window_and_level(node):
        return node.GetDisplayNode().GetWindow(), node.GetDisplayNode().GetLevel()

    return window_and_level


def test_a_ct_that_nobody_windowed_gets_the_brain_window_when_it_is_picked(panel, sample, shown):
    node = panel.add_ct(sample.ct)
    node.GetDisplayNode().SetAutoWindowLevel(True)
    panel.choose(node)
    assert shown(node) == (80, 40) and not node.GetDisplayNode().GetAutoWindowLevel()


def test_the_users_own_window_stays(panel, sample, shown):
    node = panel.add_ct(sample.ct)
    node.GetDisplayNode().SetAutoWindowLevel(False)
    node.GetDisplayNode().SetWindowLevel(2000, 500)
    panel.choose(node)
    assert shown(node) == (2000, 500)
    panel.ui.brainWindowButton.click()
    node.GetDisplayNode().SetWindowLevel(90, 35)
    panel.choose(None)
    panel.choose(node)
    assert shown(node) == (90, 35)


def test_the_buttons_show_the_brain_and_the_blood_window(panel, sample, shown):
    assert not panel.ui.brainWindowButton.enabled and not panel.ui.bloodWindowButton.enabled
    node = panel.choose_ct(sample.ct)
    panel.ui.bloodWindowButton.click()
    assert shown(node) == (120, 60)
    panel.ui.brainWindowButton.click()
    assert shown(node) == (80, 40)


def test_a_ct_without_a_display_gets_one(panel, sample, shown):
    node = panel.slicer.util.addVolumeFromArray(sample.ct.hu, ijkToRAS=sample.ct.ijk_to_ras, name="CT")
    node.SetAndObserveDisplayNodeID(None)
    panel.choose(node)
    assert shown(node) == (80, 40)
