"""What a segment's name and codes mean: known words are understood, everything else is left to be asked for."""

import pytest

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.core.labels import ICH, IVH, LABELS, OUTSIDE_BRAIN
from ICHVolumeLib.io.label_names import (
    checked_labels,
    coded_words,
    is_unnamed,
    meaning_of,
    parse_label,
    terminology_words,
)

HEMORRHAGE, TISSUE = ("SCT", "50960005", "Hemorrhage"), ("SCT", "85756007", "Tissue")
BRAIN, VENTRICLE, NO_CODE = ("SCT", "12738006", "Brain"), ("SCT", "35764002", "Brain ventricle"), ("", "", "")


@pytest.mark.parametrize("name", [
    "ICH", "ich", "ICH_1", "ICH 2", "Left ICH", "Intracerebral hemorrhage", "intracerebral_hemorrhage", "IPH",
    "Intraparenchymal Haemorrhage", "intraparenchymal", "intra-cerebral hematoma", "IntracerebralHaematoma",
    "parenchymal bleeding", "cerebral hemorrhage", "Thalamic bleed", "basal ganglia hemorrhage", "cerebellar haematoma",
    "blood in the brain tissue", "frontal lobe hematoma", "intra-axial blood"])
def test_blood_in_brain_tissue_is_ich(name):
    assert meaning_of(name) == "ich"


@pytest.mark.parametrize("name", ["IVH", "ivh_1", "Intraventricular hemorrhage", "intraventricular",
                                  "ventricular blood", "hemorrhage in the ventricles", "cerebral ventricle hemorrhage",
                                  "IVH (left)"])
def test_blood_in_the_ventricles_is_ivh(name):
    assert meaning_of(name) == "ivh"


@pytest.mark.parametrize("name", [
    "SDH", "Subdural hematoma", "sub-dural haematoma", "cSDH", "EDH", "epidural", "Extradural hematoma", "SAH",
    "subarachnoid hemorrhage", "scalp hematoma", "edema", "Oedema", "PHE", "perihematomal edema", "ventricles",
    "Brain", "skull", "CSF", "calcification", "EVD catheter", "midline", "tumour", "brainstem", "lentiform_nucleus",
    "subarachnoid_space", "septum_pellucidum", "venous_sinuses", "frontal_lobe", "vertebrae_C1", "skull_1",
    "background"])
def test_what_is_no_blood_in_brain_or_ventricles_is_left_out(name):
    assert meaning_of(name) == "ignore"


@pytest.mark.parametrize("name", [
    "hemorrhage", "hematoma", "intracranial hemorrhage", "brain hemorrhage", "temporal hematoma", "Lesion", "target",
    "ICH+IVH", "ICH and edema", "hematoma and edema", "ICH edema", "ICH, SDH", "subdural and thalamic hemorrhage",
    "thalamic and ventricular hemorrhage", "no ICH", "non-ICH", "not blood", "ICH?", "possible ICH", "blood vessels",
    "ICH extension", "IVH catheter", "hemorrhagic infarct", "contusion", "Hirnblutung", "\u8111\u51fa\u8840", "left",
    "ICHx",
    "ich\ufffd", "Segment_1", "", "   ", "17"])
def test_what_may_mean_something_else_is_not_guessed(name):
    assert meaning_of(name) is None


@pytest.mark.parametrize("name", ["", "  ", "Segment_1", "segment 12", "label", "Label1", "mask", "3", "mask.1"])
def test_names_that_tools_give_by_themselves_are_no_names(name):
    assert is_unnamed(name)


@pytest.mark.parametrize("name", ["ICH", "Lesion", "left", "\ufffd\ufffd", "\u8840", "?", "hematoma"])
def test_a_name_in_any_language_is_a_name(name):
    assert not is_unnamed(name)


@pytest.mark.parametrize(("kind", "region", "meaning"), [
    (HEMORRHAGE, BRAIN, "ich"), (HEMORRHAGE, VENTRICLE, "ivh"), (HEMORRHAGE, ("SCT", "113305005", "Cerebellum"), "ich"),
    (HEMORRHAGE, ("SCT", "1", "Subdural space"), "ignore"), (("SCT", "35566002", "H\u00e4matom"), BRAIN, "ich"),
    (("SCT", "79654002", "Edema"), BRAIN, "ignore"), (("SCT", "12738006", "Brain"), NO_CODE, "ignore"),
    (("SCT", "274100004", "Intracerebral hemorrhage"), NO_CODE, "ich"),
    (("SRT", "M-37000", ""), ("SRT", "T-A1600", ""), "ivh"),
    (HEMORRHAGE, NO_CODE, None), (TISSUE, NO_CODE, None), (TISSUE, BRAIN, None),
    (("SCT", "4147007", "Mass"), BRAIN, None)])
def test_codes_say_it_where_the_name_does_not(kind, region, meaning):
    coded = coded_words(kind, region)
    assert meaning_of("Segment_1", coded) == meaning
    assert meaning_of("Finding A-3 x", coded) == meaning


def test_the_codes_this_program_writes_are_read_as_what_they_are():
    assert [meaning_of("", terminology_words(label.terminology)) for label in LABELS] == ["ich", "ivh"]


@pytest.mark.parametrize("entry", ["", "~", "a~b^c~SCT^50960005", "~~~~~~~~~~", "^^^^~^^~SCT^50960005^Hemorrhage~^^"])
def test_a_damaged_terminology_entry_says_nothing_of_the_place(entry):
    assert meaning_of("Segment_1", terminology_words(entry)) is None


def test_a_name_and_codes_that_contradict_each_other_are_asked_for():
    coded = terminology_words(ICH.terminology)
    assert meaning_of("Subdural", coded) is None
    assert meaning_of("IVH", coded) is None
    assert meaning_of("IVH", terminology_words(IVH.terminology)) == "ivh"
    assert meaning_of("Subdural", coded_words(TISSUE, NO_CODE)) == "ignore"


@pytest.mark.parametrize(("text", "parsed"), [("Lesion 1=ich", ("Lesion 1", "ich")), ("3=IGNORE", ("3", "ignore")),
                                              ("a=b=ivh", ("a=b", "ivh")), (" x = ich ", ("x", "ich"))])
def test_a_label_option_is_a_name_and_a_meaning(text, parsed):
    assert parse_label(text) == parsed


@pytest.mark.parametrize("text", ["", "ich", "=ich", "x=", "x=blood", "x:ich", " =ich"])
def test_anything_else_is_no_label_option(text):
    with pytest.raises(ValueError, match="NAME=ich"):
        parse_label(text)


def test_labels_from_python_are_checked_too():
    assert checked_labels({3: "ICH", " Lesion ": "ignore"}) == {"3": "ich", "lesion": "ignore"}
    with pytest.raises(InputError, match="give ich, ivh or ignore"):
        checked_labels({"x": "sdh"})


def test_this_programs_own_segment_of_blood_outside_the_brain_is_known_and_not_counted():
    assert meaning_of(OUTSIDE_BRAIN.name, coded_words(OUTSIDE_BRAIN.type, OUTSIDE_BRAIN.region)) == "ignore"
