"""Series that are no plain CT by what their headers say."""

from dicom_files import change_all
from hard_inputs.hard_input import BALL_ML, HardInput, ball_ct, write_series

from ICHVolumeLib.synthetic.dicom_series import write_dicom_series


def series(**tags):
    def build(folder):
        write_series(ball_ct(), folder / "ct")
        change_all(folder / "ct", **tags)
        return folder / "ct"
    return build


def beside_a_plain_one(**tags):
    """The odd series with more slices' worth of reasons: a lower number, the same head."""
    def build(folder):
        write_dicom_series(ball_ct(), folder / "in" / "odd", series_number=1)
        change_all(folder / "in" / "odd", **tags)
        write_dicom_series(ball_ct(), folder / "in" / "plain", series_number=2, series_description="Head 4 mm")
        return folder / "in"
    return build


def image_type(*values):
    return {"ImageType": list(values)}


REFUSED = {
    "RescaleType Z_EFF": ({"RescaleType": "Z_EFF"}, "Z_EFF, not Hounsfield units"),
    "RescaleType ED (electron density)": ({"RescaleType": "ED"}, "ED, not"),
    "RescaleType MGML (iodine)": ({"RescaleType": "MGML"}, "MGML, not"),
    "described as Z Effective": ({"SeriesDescription": "Z Effective"}, "atomic number"),
    "described as Electron Density [%EDW]": ({"SeriesDescription": "Electron Density [%EDW]"}, "electron density"),
    "described as Iodine(Water)": ({"SeriesDescription": "Iodine(Water) mg/cc"}, "material map"),
    "ImageType MAT_SPECIFIC": (image_type("DERIVED", "PRIMARY", "VOLUME", "MAT_SPECIFIC"), "material map"),
    "ImageType EFF_ATOMIC_NUM": (image_type("DERIVED", "PRIMARY", "VOLUME", "EFF_ATOMIC_NUM"), "atomic number"),
    "a cerebral blood volume map": ({"SeriesDescription": "CBV"}, "perfusion"),
    "a subtraction": ({"SeriesDescription": "CTA Subtraction"}, "difference"),
    "a topogram by its description": ({"SeriesDescription": "Topogram 0.6 T20f"}, "localizer"),
    "a localizer by its ImageType": (image_type("ORIGINAL", "PRIMARY", "LOCALIZER"), "localizer"),
}
WARNED = {
    "monoenergetic (Monoenergetic Plus 70keV)": ({"SeriesDescription": "Monoenergetic Plus 70keV"}, "spectral-image",
                                                  "monoenergetic"),
    "monoenergetic (MonoE 60keV[HU])": ({"SeriesDescription": "MonoE 60keV[HU]"}, "spectral-image", "monoenergetic"),
    "ImageType VMI": (image_type("DERIVED", "PRIMARY", "VOLUME", "VMI"), "spectral-image", "monoenergetic"),
    "virtual non-contrast": ({"SeriesDescription": "Head VNC"}, "spectral-image", "virtual non-contrast"),
    "RescaleType HU_MOD": ({"RescaleType": "HU_MOD"}, "spectral-image", "modified"),
    "a MIP by ImageType": (image_type("DERIVED", "SECONDARY", "MIP"), "derived-image", "projection"),
    "a MIP by description": ({"SeriesDescription": "Brain MIP ax 10"}, "derived-image", "projection"),
    "an MPR by ImageType": (image_type("DERIVED", "SECONDARY", "MPR"), "derived-image", "reformat"),
    "derived without further words": (image_type("DERIVED", "SECONDARY"), "derived-image", "derived"),
    "compressed with loss by its tag": ({"LossyImageCompression": "01"}, "lossy-compression", "with loss"),
}
QUICK = ("RescaleType Z_EFF", "a topogram by its description", "ImageType VMI", "a MIP by description",
         "compressed with loss by its tag")  # the words are tried in Testing/io/test_plain_ct.py, too
CASES = [
    *(HardInput(name, series(**tags), "refused", words, slow=name not in QUICK)
      for name, (tags, words) in REFUSED.items()),
    *(HardInput(name, series(**tags), f"warned:{code}", words, BALL_ML, slow=name not in QUICK)
      for name, (tags, code, words) in WARNED.items()),
    HardInput("a Z_EFF map beside a plain series", beside_a_plain_one(RescaleType="Z_EFF"), "warned:series-chosen",
              "scanner's series 2, 40 images), because", BALL_ML),
    HardInput("a monoenergetic series beside a plain one", beside_a_plain_one(SeriesDescription="Mono+ 70 keV head"),
              "warned:series-chosen", "scanner's series 2, 40 images), because", BALL_ML),
    HardInput("RescaleType absent", series(RescaleType=None), "right", true_ml=BALL_ML),
    HardInput("RescaleType US (unspecified)", series(RescaleType="US"), "right", true_ml=BALL_ML),
]
