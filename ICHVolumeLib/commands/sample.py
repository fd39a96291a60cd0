"""Write a synthetic patient: a head CT with a bleed, its true mask and its true volumes.

Writes OUT/ct (a DICOM series) or OUT/ct.nrrd, OUT/truth.seg.nrrd and OUT/truth.json. The same seed gives the same
patient. No real person is in it.
"""

from dataclasses import asdict
from pathlib import Path

from ..core.errors import InputError
from .console import Progress, add_progress_argument, say, say_json

TRUTH_JSON, TRUTH_MASK, CT_FOLDER, CT_NRRD = "truth.json", "truth.seg.nrrd", "ct", "ct.nrrd"


def add_arguments(parser) -> None:
    parser.add_argument("out", type=Path, metavar="OUT", help="output folder")
    parser.add_argument("--format", choices=("dicom", "nrrd"), default="dicom")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--tilt", type=float, default=0.0, metavar="DEG", help="gantry tilt, -30 to 30 degrees")
    parser.add_argument("--uneven", action="store_true", help="thin slices at the base, thick ones above (DICOM only)")
    parser.add_argument("--ivh", action="store_true", help="blood in the ventricles too")
    parser.add_argument("--no-bleed", action="store_true")
    add_progress_argument(parser)


def run(args) -> None:
    from ..report.summary import ml

    with Progress(args.progress) as progress:
        sample = write_sample(args.out, file_format=args.format, seed=args.seed, tilt_deg=args.tilt,
                              uneven=args.uneven, ivh=args.ivh, bleed=not args.no_bleed, progress=progress)
    volumes = sample.true_volume_ml
    if progress.kind == "json":
        say_json({"event": "done", "out": str(args.out), "volume_ml": volumes})
        return
    say(f"Synthetic head CT, seed {args.seed}, {len(sample.ct.hu)} slices: {args.out}")
    say(f"True volume {ml(volumes['total'])} (ICH {ml(volumes['ich'])}, IVH {ml(volumes['ivh'])})")


def write_sample(out, *, file_format="dicom", seed=0, tilt_deg=0.0, uneven=False, ivh=False, bleed=True,
                 progress=None):
    """Make the patient and write all files, or none. Returns the Sample. Raises InputError for impossible options."""
    from ..io.output_folder import OutputFolder
    from ..io.result_files import rounded, write_json
    from ..workflow.make_result import describe_geometry

    _refuse_options(Path(out), file_format, seed, uneven)
    with OutputFolder(out, (CT_FOLDER, CT_NRRD, TRUTH_MASK, TRUTH_JSON), ours=_ours) as folder:
        from ..io.nrrd import write_nrrd
        from ..io.segmentation_nrrd import write_mask_seg_nrrd
        from ..synthetic.dicom_series import write_dicom_series
        from ..synthetic.sample import make_sample

        sample = make_sample(seed, tilt_deg=tilt_deg, uneven=uneven, ivh=ivh, bleed=bleed, progress=progress)
        if progress:
            progress("write", 0, 1)
        if file_format == "dicom":
            write_dicom_series(sample.ct, folder.staging / CT_FOLDER)
        else:
            write_nrrd(folder.staging / CT_NRRD, sample.ct.hu, sample.ct.ijk_to_ras)
        write_mask_seg_nrrd(folder.staging / TRUTH_MASK, sample.mask, sample.ct)
        write_json(folder.staging / TRUTH_JSON, rounded({
            "schema": "ichvolume-truth/1", "volume_ml": sample.true_volume_ml, "location": sample.location,
            "seed": seed, "geometry": asdict(describe_geometry(sample.ct))}))
        folder.commit()
    return sample


def _ours(out: Path, names) -> set[str]:
    """Where truth.json lies, all of it is an earlier sample."""
    return set(names) if (out / TRUTH_JSON).is_file() else set()


def _refuse_options(out, file_format, seed, uneven):
    if seed < 0:
        raise InputError(f"--seed {seed} is negative; use 0 or more.")
    if uneven and file_format == "nrrd":
        raise InputError("NRRD cannot hold uneven slice positions; use --format dicom with --uneven.")
    if not (out / TRUTH_JSON).exists() and any((out / name).exists() for name in (CT_FOLDER, CT_NRRD)):
        raise InputError(f"{out} already holds a scan that is not a sample of ICHVolume; choose another folder.")
