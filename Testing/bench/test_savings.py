"""The head box and the skipped slices change nothing that matters: the shipped weights, small bleeds included."""

import pytest

pytest.importorskip("ICHVolumeLib.engines.quiet_openvino")

from ICHVolumeLib.bench import savings  # noqa: E402
from ICHVolumeLib.bench.scans import place_in_brain, with_ball  # noqa: E402
from ICHVolumeLib.synthetic.sample import make_sample  # noqa: E402

AT_LEAST = 0.999


@pytest.mark.slow
def test_the_shortened_run_gives_the_full_run_s_mask_on_large_and_small_bleeds(tmp_path, monkeypatch):
    monkeypatch.setenv("ICHVOLUME_CACHE", str(tmp_path))
    large, empty = make_sample(0, ivh=True, size=256).ct, make_sample(3, bleed=False, size=256).ct
    small = {f"{ml} mL": with_ball(empty, place_in_brain(empty, seed), ml)[0]
             for seed, ml in enumerate((0.5, 1.0, 1.5, 3.0))}
    found = savings.compare(0, cases={"large": large, **small}.items())
    marked = [row for row in found["cases"] if row["marked_voxels"]]
    assert len(marked) >= 3 and found["dice_min"] >= AT_LEAST
    assert found["speed_ratio"] > 1
