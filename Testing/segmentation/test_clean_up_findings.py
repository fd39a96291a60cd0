"""What the clean-up added or removed is said, with its reason, when it is much."""

import numpy as np
import pytest

from ICHVolumeLib.core.findings import OF_THE_MODELS_MASK
from ICHVolumeLib.postprocessing.steps import DOUBTFUL_COMPONENTS, POSSIBLE_COMPONENTS
from ICHVolumeLib.segmentation.below_skull import STEP as BELOW_SKULL
from ICHVolumeLib.segmentation.clean_up_findings import clean_up_findings
from ICHVolumeLib.segmentation.outside_brain import outside_finding
from ICHVolumeLib.segmentation.unmarked_blood import unmarked_finding


def step(name, removed_ml=0.0, added_ml=0.0, slices=()):
    return {"name": name, "threshold_mm3": None, "removed_ml": removed_ml, "added_ml": added_ml, "slices": list(slices)}


def said(steps, marked_ml):
    return [one.message for one in clean_up_findings(steps, marked_ml) if one.code == "clean-up-changed"]


def test_much_that_was_added_is_said_with_its_share_and_its_reasons_the_largest_first():
    steps = [step("slice ends", added_ml=1.8), step("half-marked clots", added_ml=5.1), step("specks", removed_ml=0.1)]
    assert said(steps, 45.8) == [
        "6.9 mL of 45.8 mL were added by the clean-up because clots that the network marked by half are marked whole "
        "(5.1 mL); the first and last slices of a bleed are often filled in part only (1.8 mL)."]


def test_much_that_was_removed_is_said():
    assert said([step("outside the skull", removed_ml=3.2)], 0.0) == [
        "3.2 mL that the network had marked were removed by the clean-up because pieces lay outside the skull "
        "(3.2 mL)."]


@pytest.mark.parametrize("changed_ml, marked_ml", [(4.5, 45.8), (0.09, 0.3), (0.0, 0.0)])
def test_a_tenth_is_not_reached(changed_ml, marked_ml):
    assert said([step("outlines", changed_ml, changed_ml)], marked_ml) == []


def test_a_tenth_of_either_is_enough():
    assert len(said([step("outlines", 0.0, 4.6)], 45.8)) == len(said([step("outlines", 4.6, 0.0)], 45.8)) == 1


def test_all_that_is_said_of_the_models_mask_is_known_to_be_of_it():
    """By their codes: what a person has corrected since must not be told as if it still were so."""
    steps = [step(DOUBTFUL_COMPONENTS, removed_ml=2.0, slices=[3]), step(BELOW_SKULL, removed_ml=1.0, slices=[0]),
             step(POSSIBLE_COMPONENTS, added_ml=4.0, slices=[5])]
    marked = np.ones((2, 4, 4), np.uint8)
    said_of_it = [*clean_up_findings(steps, 5.0), *unmarked_finding(marked, 14.0),
                  *outside_finding(marked, 5.0, marked)]
    assert sorted(one.code for one in said_of_it) == sorted(OF_THE_MODELS_MASK)
