"""One CT and the segmentation that is looked at: measured again after every edit, kept with the nodes."""

from dataclasses import asdict

import numpy as np

from ICHVolumeLib.checks import check_ct
from ICHVolumeLib.errors import InputError
from ICHVolumeLib.findings import Finding
from ICHVolumeLib.labels import LABELS
from ICHVolumeLib.pipeline import make_result
from ICHVolumeLib.volume import CTVolume, ScanInfo

from . import scene, scene_lines
from .ai_record import AiRecord
from .corrections import Corrections
from .results_table import make_rows

AI_KEY, MEASURED_KEY, CLINICAL_KEY, NOT_FOUND_KEY = "ai", "corrections", "clinical", "notFound"
_MEASURED_FIELDS = ("a_mm", "b_mm", "c_mm", "a_line_ras", "b_line_ras", "ivh")


def ct_of(volume_node) -> CTVolume:
    """The node as a CTVolume. Raises InputError with a sentence for the user."""
    try:
        arrays = scene.ct_arrays(volume_node)
    except ValueError as error:
        raise InputError(str(error)) from error
    return CTVolume(arrays["hu"], arrays["ijk_to_ras"], arrays["slice_origins_ras"], ScanInfo(**arrays["info"]),
                    tuple(Finding(*finding) for finding in arrays["findings"]))


class Case:
    """result: with every correction; automatic: measured on the present mask, not corrected; both None until there is
    a mask or a model's answer. corrections belong in part to the CT (clinical) and in part to the segmentation.

    Raises InputError when the volume cannot be used.
    """

    def __init__(self, volume_node):
        self.volume_node = volume_node
        self.ct = ct_of(volume_node)
        self.noticed = check_ct(self.ct)
        self.segmentation_node = None
        self.record = None
        self.mask = None
        self.result = self.automatic = None
        self.is_edited = False
        self.corrections = Corrections()
        self._read_corrections()

    @property
    def scan_age_years(self):
        return self.ct.info.patient_age_years

    @property
    def was_not_found(self) -> bool:
        """The model ran on this CT and marked nothing, and nobody drew anything."""
        return self.result is not None and not self.result.found and self.record is not None

    def is_same_ct(self) -> bool:
        """False when the node's voxels or geometry changed since this case was opened."""
        try:
            now = ct_of(self.volume_node)
        except InputError:
            return False
        return (np.array_equal(now.ijk_to_ras, self.ct.ijk_to_ras) and np.array_equal(now.hu, self.ct.hu)
                and np.array_equal(now.slice_origins_ras, self.ct.slice_origins_ras))

    def choose(self, segmentation_node) -> None:
        """Look at this segmentation (None: at what the model said without one) and measure it."""
        self.segmentation_node = segmentation_node
        self._read_corrections()
        keeper, key = (self.volume_node, NOT_FOUND_KEY) if segmentation_node is None else (segmentation_node, AI_KEY)
        self.record = AiRecord.from_json(scene.recall(keeper, key))
        self.mask = None
        self.measure()

    def take(self, segmentation) -> None:
        """A model run's Segmentation: a node for what it marked, or the note that it marked nothing.

        A segmentation that nobody edited is replaced; an edited one is kept and the new one put beside it.
        """
        if not scene.is_in_scene(self.volume_node):
            raise InputError("The CT was deleted while it was segmented; nothing was kept.")
        automatic = make_result(self.ct, segmentation.mask, None, segmentation, noticed=self.noticed)
        record = AiRecord.of(segmentation, automatic)
        if not automatic.found:
            scene.remember(self.volume_node, NOT_FOUND_KEY, record.to_json())
            self.choose(self.segmentation_node if self._has_edits() else None)
            return
        scene.remember(self.volume_node, NOT_FOUND_KEY, "")
        node = self.segmentation_node
        if node is None or not scene.is_in_scene(node) or self._has_edits():
            node = scene.new_segmentation(self.volume_node, segmentation.mask, LABELS,
                                          f"{self.volume_node.GetName()} bleed")
        else:
            scene.replace_mask(node, segmentation.mask, LABELS, self.volume_node)
            scene.remember(node, MEASURED_KEY, "")
        scene.remember(node, AI_KEY, record.to_json())
        self.choose(node)

    def uncounted_segments(self) -> list[str]:
        """Names of painted segments that are neither ICH nor IVH."""
        return scene.uncounted_segments(self.segmentation_node) if self.segmentation_node is not None else []

    def start_by_hand(self) -> None:
        """An empty segmentation to paint in."""
        node = scene.new_segmentation(self.volume_node, np.zeros(self.ct.hu.shape, np.uint8), LABELS,
                                      f"{self.volume_node.GetName()} bleed")
        self.choose(node)

    def measure(self) -> None:
        """Measure the present mask; milliseconds. Raises InputError when a node is gone."""
        try:
            self.mask = self._mask()
        except ValueError as error:
            raise InputError(str(error)) from error
        if self.mask is None:
            self.result = self.automatic = None
            return
        self.is_edited = self.segmentation_node is not None and scene.is_edited(self.segmentation_node, self.mask)
        ai_volume = self.record.volume_ml if self.record and self.is_edited else None
        self.automatic = make_result(self.ct, self.mask, self.corrections.clinical(self.scan_age_years),
                                     self.record and self.record.segmentation, automatic_volume_ml=ai_volume,
                                     noticed=self.noticed)
        self.result = self.corrections.apply(self.automatic, self.scan_age_years)

    def correct(self, **values) -> None:
        """Enter or correct values (Corrections' fields); None puts one back. Raises InputError, changing nothing."""
        self._keep(self.corrections.changed(**values))

    def reset(self) -> None:
        """Every automatic value again; what only the clinician knows (age, GCS, site) stays."""
        self._keep(self.corrections.without_measured())

    def reset_lines(self) -> None:
        self._keep(self.corrections.without_lines())

    def rows(self):
        """The results table, or no rows while there is nothing measured."""
        if self.result is None:
            return []
        record = self.record
        return make_rows(self.result, self.automatic.abc2, self.corrections, record and record.volume_ml,
                         record and record.abc2, self.scan_age_years)

    def draw(self) -> None:
        """Lines A and B and the table node, as they stand now."""
        if self.segmentation_node is None or self.result is None:
            return
        abc2 = self.result.abc2
        if abc2 is None:
            scene_lines.remove_ab_lines(self.segmentation_node)
        else:
            scene_lines.set_ab_lines(self.segmentation_node, self.volume_node, abc2.a_line_ras, abc2.b_line_ras)
        scene_lines.write_table(self.segmentation_node, ["Measure", "AI", "Edited", "Remark"],
                                [[row.name.strip(), row.ai, row.edited, row.note] for row in self.rows()])

    def lines_were_dragged(self) -> bool:
        """Take over the lines' end points when they are not where `draw` put them; True when they are not."""
        lines = self.segmentation_node and scene_lines.ab_lines(self.segmentation_node)
        if not lines or self.result is None or self.result.abc2 is None:
            return False
        moved = {}
        for name, line in zip(("a", "b"), lines, strict=True):
            points = scene_lines.line_points(line, self.volume_node)
            if np.abs(np.subtract(points, getattr(self.result.abc2, f"{name}_line_ras"))).max() > 0.01:
                moved[f"{name}_line_ras"] = tuple(tuple(float(x) for x in point) for point in points)
                moved[f"{name}_mm"] = None  # the line as drawn wins over a length typed before
        if moved:
            self.correct(**moved)
        return bool(moved)

    def largest_slice(self) -> int | None:
        return None if self.mask is None else scene_lines.largest_slice(self.mask)

    def _mask(self):
        if self.segmentation_node is not None:
            return scene.mask_from_segmentation(self.segmentation_node, self.volume_node)
        return np.zeros(self.ct.hu.shape, np.uint8) if self.record else None

    def _has_edits(self):
        """True when a person changed the mask, or A, B or C on it."""
        node = self.segmentation_node
        if node is None or not scene.is_in_scene(node):
            return False
        if scene.recall(node, MEASURED_KEY) not in ("", "{}"):
            return True
        return scene.is_edited(node, scene.mask_from_segmentation(node, self.volume_node))

    def _keep(self, corrections):
        self.corrections = corrections
        values = asdict(corrections)
        clinical = {name: None if name in _MEASURED_FIELDS else value for name, value in values.items()}
        measured = {name: value if name in _MEASURED_FIELDS else None for name, value in values.items()}
        scene.remember(self.volume_node, CLINICAL_KEY, Corrections(**clinical).to_json())
        if self.segmentation_node is not None:
            scene.remember(self.segmentation_node, MEASURED_KEY, Corrections(**measured).to_json())
        self.measure()

    def _read_corrections(self):
        clinical = Corrections.from_json(scene.recall(self.volume_node, CLINICAL_KEY))
        measured = Corrections()
        if self.segmentation_node is not None:
            measured = Corrections.from_json(scene.recall(self.segmentation_node, MEASURED_KEY))
        self.corrections = Corrections(**{name: getattr(measured if name in _MEASURED_FIELDS else clinical, name)
                                          for name in asdict(clinical)})
