"""One CT and the segmentation that is looked at: measured again after every edit, kept with the nodes."""

import logging
from dataclasses import asdict, replace

import numpy as np

from ICHVolumeLib.anatomy.head_frame import fit_head_frame
from ICHVolumeLib.anatomy.mass_effect import measure_mass_effect
from ICHVolumeLib.core.ct_volume import CTVolume, ScanInfo
from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.core.findings import Finding
from ICHVolumeLib.core.labels import LABELS, OUTSIDE_BRAIN
from ICHVolumeLib.core.result import ich_interval_ml
from ICHVolumeLib.io.file_behind import with_file
from ICHVolumeLib.measure import measure_mask
from ICHVolumeLib.quality.checks import check_ct, check_without_image
from ICHVolumeLib.quality.head_pose import check_head_pose
from ICHVolumeLib.quality.mask_checks import check_mask_in_steps
from ICHVolumeLib.workflow.make_result import make_result

from . import case_nodes, scene, scene_lines
from .ai_record import AiRecord
from .case_nodes import MEASURED_KEY
from .corrections import Corrections
from .mass_effect import NOTHING, MassEffect
from .midline_drawing import MidlineDrawing
from .results_table import make_rows
from .translation import tr as _
from .turns import at_once

AI_KEY, CLINICAL_KEY, NOT_FOUND_KEY = "ai", "clinical", "notFound"
_MEASURED_FIELDS = ("a_mm", "b_mm", "c_mm", "a_line_ras", "b_line_ras", "midline_points_ras", "midline_slice",
                    "ivh")


def ct_of_in_steps(volume_node):
    """Generator that returns the node as a CTVolume, read anew when it changed meanwhile: never a mixture.

    Raises InputError with a sentence for the user.
    """
    arrays, signature = None, None
    while arrays is None or signature != scene.signature_of(volume_node):
        signature = scene.signature_of(volume_node)
        try:
            arrays = yield from scene.ct_arrays_in_steps(volume_node)
        except ValueError as error:
            if signature == scene.signature_of(volume_node) or not scene.is_in_scene(volume_node):
                raise InputError(str(error)) from error
    ct = CTVolume(arrays["hu"], arrays["ijk_to_ras"], arrays["slice_origins_ras"], ScanInfo(**arrays["info"]),
                  tuple(Finding(*finding) for finding in arrays["findings"]))
    return with_file(ct, scene.file_of(volume_node))


class Case:
    """result: with every correction; automatic: measured on the present mask, not corrected; both None until there is
    a mask or a model's answer. corrections belong in part to the CT (clinical) and in part to the segmentation.

    What takes long is a generator of short steps, for the event loop; `at_once` runs one for a script. What a step
    leaves behind is whole: result, mask and edits are put in place together.
    """

    def __init__(self, volume_node, ct: CTVolume, noticed=None, head_frame=None):
        """ct: ct_of_in_steps(volume_node); noticed: check_ct(ct), None while the image is being looked at; head_frame:
        fit_head_frame(ct), None likewise or where there is none: no site is suggested then."""
        self.volume_node = volume_node
        self.ct = ct
        self.head_frame = head_frame
        self.mass_effect = MassEffect()
        self.is_checked = noticed is not None
        self.noticed = list(noticed if self.is_checked else check_without_image(ct))
        self._signature = scene.signature_of(volume_node)
        self.segmentation_node = None
        self.record = None
        self.mask = None
        self.outside_ml = None  # blood outside the brain as its segment is now; None: not looked for
        self.result = self.automatic = None
        self.is_edited = False
        self._checked = None  # (mask, is_edited, findings about it)
        self.corrections = Corrections()
        self.midline = MidlineDrawing()
        self.unreadable = ""  # a sentence when something kept with the nodes was ignored
        self._read_corrections()

    @classmethod
    def open(cls, volume_node) -> "Case":
        """For scripts: read and checked at once. Raises InputError when the volume cannot be used."""
        ct = at_once(ct_of_in_steps(volume_node))
        frame = fit_head_frame(ct)
        case = cls(volume_node, ct, [*check_ct(ct), *check_head_pose(ct, frame)], frame)
        case.mass_effect = MassEffect(measure_mass_effect(ct, None, frame), at_once=True)
        return case

    @property
    def scan_age_years(self):
        return self.ct.info.patient_age_years

    @property
    def was_not_found(self) -> bool:
        """The model ran on this CT and marked nothing, and nobody drew anything."""
        return self.result is not None and not self.result.found and self.record is not None

    def may_have_changed(self) -> bool:
        """The node's voxels or geometry were touched since this case was opened; is_same_ct_in_steps tells."""
        return scene.signature_of(self.volume_node) != self._signature

    def is_same_ct_in_steps(self):
        """Generator; returns False when the node's voxels or geometry are not those of this case any more."""
        signature = scene.signature_of(self.volume_node)
        try:
            now = yield from ct_of_in_steps(self.volume_node)
        except InputError:
            return False
        is_same = (now.hu.shape == self.ct.hu.shape and np.array_equal(now.ijk_to_ras, self.ct.ijk_to_ras)
                   and np.array_equal(now.slice_origins_ras, self.ct.slice_origins_ras))
        for one, other in zip(now.hu, self.ct.hu, strict=False):
            is_same = is_same and np.array_equal(one, other)
            yield
        if is_same:
            self._signature = signature
        return is_same

    def checked(self, noticed, head_frame=None, mass_effect=NOTHING) -> None:
        """What check_ct, fit_head_frame and measure_mass_effect found, once it is known; a result that stands gets it
        too."""
        self.noticed, self.is_checked = list(noticed), True
        self.head_frame, self.mass_effect = head_frame, MassEffect(mass_effect)
        if self.mask is not None:
            self._score()

    def choose(self, segmentation_node) -> None:
        at_once(self.choose_in_steps(segmentation_node))

    def choose_in_steps(self, segmentation_node):
        """Look at this segmentation (None: at what the model said without one) and measure it."""
        keeper, key = (self.volume_node, NOT_FOUND_KEY) if segmentation_node is None else (segmentation_node, AI_KEY)
        self.segmentation_node, self.mask = segmentation_node, None
        self.result = self.automatic = None
        self.midline = MidlineDrawing()
        self._read_corrections()
        self.record = self._recalled(keeper, key, AiRecord.from_json, None)
        yield from self.measure_in_steps()

    def take(self, segmentation) -> None:
        at_once(self.take_in_steps(segmentation))

    def take_in_steps(self, segmentation):
        """A model run's Segmentation: a node for what it marked, or the note that it marked nothing.

        A segmentation that nobody edited is replaced, or goes when nothing was marked; an edited one is kept and the
        new one put beside it. The generator returns the run's AiRecord.
        Raises InputError when the CT or the segmentation is gone, or the CT is not the one that was segmented any more.
        """
        gone = InputError(_("The CT was deleted while it was segmented; nothing was kept."))
        is_same = not self.may_have_changed() or (yield from self.is_same_ct_in_steps())
        if not scene.is_in_scene(self.volume_node):
            raise gone
        if not is_same:
            raise InputError(_("The CT was changed while it was segmented; nothing was kept. Press Segment ICH again."))
        automatic = make_result(self.ct, segmentation.mask, None, segmentation, noticed=self.noticed, about_mask=[],
                                head_frame=None, mass_effect=NOTHING)
        record = AiRecord.of(segmentation, automatic)
        is_shown = record.has_segments
        yield
        try:
            node = yield from (case_nodes.put(self, segmentation) if is_shown else case_nodes.kept(self))
        except ValueError as error:
            raise (InputError(str(error)) if scene.is_in_scene(self.volume_node) else gone) from error
        if not scene.is_in_scene(self.volume_node):
            raise gone
        scene.remember(self.volume_node, NOT_FOUND_KEY, "" if is_shown else record.to_json())
        if is_shown:
            scene.remember(node, AI_KEY, record.to_json())
        yield
        yield from case_nodes.remove_outdated(self.volume_node, node)
        yield from self.choose_in_steps(node)
        return record

    def uncounted_segments(self) -> list[str]:
        """Names of painted segments that are neither ICH nor IVH."""
        return scene.uncounted_segments(self.segmentation_node) if scene.is_in_scene(self.segmentation_node) else []

    def outside_mask(self):
        """uint8 (slices, rows, columns), 1 where the segment of blood outside the brain is now; None without one."""
        if not (self.record and self.record.segmentation.outside_ml) or not scene.is_in_scene(self.segmentation_node):
            return None
        return scene.mask_from_segmentation(self.segmentation_node, self.volume_node, (OUTSIDE_BRAIN.name,))

    def start_by_hand_in_steps(self):
        """Generator: an empty segmentation to paint in, when there is none yet. Raises InputError as take."""
        if scene.is_in_scene(self.segmentation_node):
            return
        try:
            node = yield from scene.new_segmentation_in_steps(
                self.volume_node, np.zeros(self.ct.hu.shape, np.uint8), LABELS, case_nodes.name_of(self.volume_node))
        except ValueError as error:
            raise InputError(str(error)) from error
        yield from self.choose_in_steps(node)

    def measure_in_steps(self):
        """Measure the present mask. Raises InputError when a node is gone."""
        node = self.segmentation_node
        try:
            mask = self._mask()
        except ValueError as error:
            raise InputError(str(error)) from error
        yield
        if mask is None:
            self.mask = self.result = self.automatic = None
            return
        is_edited = node is not None and scene.is_edited(node, mask)
        yield
        self.mask, self.is_edited = mask, is_edited
        self.outside_ml = case_nodes.outside_ml(self)
        yield
        yield from self._look_at_mask()
        yield
        self._score()
        yield  # what is shown of it takes a turn of its own

    def _score(self):
        """Everything that follows from the mask and what was entered; a few milliseconds."""
        ai_volume = self.record.volume_ml if self.record and self.is_edited else None
        self.automatic = make_result(self.ct, self.mask, self.corrections.clinical(self.scan_age_years),
                                     self.record and self.record.segmentation, automatic_volume_ml=ai_volume,
                                     noticed=self.noticed, about_mask=self._about_mask(),
                                     head_frame=self.head_frame,
                                     mass_effect=self.mass_effect.of(self))
        self.automatic = replace(self.automatic, outside_brain_ml=self.outside_ml)
        self.result = self.corrections.apply(self.automatic, self.scan_age_years)

    def _about_mask(self):
        """The findings about the present mask, looked for once: what is typed does not change them."""
        at_once(self._look_at_mask())
        return self._checked[2]

    def _look_at_mask(self):
        """Generator of _about_mask."""
        key = self.mask, self.is_edited
        if self._checked is None or self._checked[0] is not key[0] or self._checked[1] != key[1]:
            run = self.record and self.record.segmentation
            measured = measure_mask(self.ct, self.mask)
            of_ich_ml = ich_interval_ml(run.interval_ml, measured.volume_ml.ivh, run.label_intervals_ml) \
                if run and not self.is_edited else None
            about = yield from check_mask_in_steps(self.ct, self.mask, measured, of_ich_ml, run is not None,
                                                   self.head_frame)
            self._checked = *key, about

    def correct(self, **values) -> None:
        """Enter or correct values (Corrections' fields); None puts one back. Raises InputError, changing nothing."""
        self._keep(self.corrections.changed(**values))

    def mass_effect_measured(self, mask, measured) -> None:
        """(MidlineShift, Ventricles) of a mask with marked IVH, or why not (str); forgotten when it stands no more."""
        (self.mass_effect.failed if isinstance(measured, str) else self.mass_effect.take)(mask, measured)
        if self.mask is not None:
            self._score()

    def reset(self) -> None:
        """Every automatic value again; what only the clinician knows (age, GCS, site) stays."""
        self._keep(self.corrections.without_measured())

    def reset_lines(self) -> None:
        self.midline = MidlineDrawing()
        self._keep(self.corrections.without_lines())

    def rows(self):
        """The results table, or no rows while there is nothing measured."""
        if self.result is None:
            return []
        record = self.record
        return make_rows(self.result, self.automatic.abc2, self.corrections, record and record.volume_ml,
                         record and record.abc2, self.scan_age_years, record and record.segmentation.outside_ml)

    def draw(self) -> None:
        """Lines A and B and the table node, as they stand now."""
        if self.result is None or not all(map(scene.is_in_scene, (self.segmentation_node, self.volume_node))):
            return
        abc2 = self.result.abc2
        if abc2 is None:
            scene_lines.remove_ab_lines(self.segmentation_node)
        else:
            scene_lines.set_ab_lines(self.segmentation_node, self.volume_node, abc2.a_line_ras, abc2.b_line_ras)
        self.midline.draw(self)
        scene_lines.write_table(self.segmentation_node, ["Measure", "AI", "Edited", "Remark"],
                                [[row.name.strip(), row.ai, row.edited, row.note] for row in self.rows()])

    def lines_were_dragged(self) -> bool:
        """Take over the lines' end points when they are not where `draw` put them; True when they are not."""
        moved = self.midline.dragged(self)
        if moved:
            self.correct(**moved)
        return self._ab_were_dragged() or bool(moved)

    def _ab_were_dragged(self):
        lines = self.segmentation_node and scene_lines.ab_lines(self.segmentation_node)
        if not lines or self.result is None or self.result.abc2 is None:
            return False
        moved = {}
        for name, line in zip(("a", "b"), lines, strict=True):
            points = scene_lines.line_points(line, self.volume_node)
            points = scene_lines.onto_slice(points, self.ct, self.result.abc2.slice_index)
            if np.abs(np.subtract(points, getattr(self.result.abc2, f"{name}_line_ras"))).max() > 0.01:
                moved[f"{name}_line_ras"] = points
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

    def _keep(self, corrections):
        self.corrections = corrections
        values = asdict(corrections)
        clinical = {name: None if name in _MEASURED_FIELDS else value for name, value in values.items()}
        measured = {name: value if name in _MEASURED_FIELDS else None for name, value in values.items()}
        scene.remember(self.volume_node, CLINICAL_KEY, Corrections(**clinical).to_json())
        if self.segmentation_node is not None:
            scene.remember(self.segmentation_node, MEASURED_KEY, Corrections(**measured).to_json())
        if self.mask is not None:
            self._score()

    def _read_corrections(self):
        self.unreadable = ""
        clinical = self._recalled(self.volume_node, CLINICAL_KEY, Corrections.from_json, Corrections())
        measured = Corrections()
        if self.segmentation_node is not None:
            measured = self._recalled(self.segmentation_node, MEASURED_KEY, Corrections.from_json, measured)
        self.corrections = Corrections(**{name: getattr(measured if name in _MEASURED_FIELDS else clinical, name)
                                          for name in asdict(clinical)})

    def _recalled(self, node, key, from_json, otherwise):
        """What is kept with the node; what another program or version wrote and cannot be read is ignored and said."""
        try:
            return from_json(scene.recall(node, key))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            logging.warning("ICHVolume: %s of %s: %s", key, node.GetName(), error)
            self.unreadable = _("What was saved with {name} cannot be read and is ignored; enter corrections and "
                                "clinical values again.").format(name=node.GetName())
            return otherwise
