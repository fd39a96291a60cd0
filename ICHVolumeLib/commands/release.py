"""Calibrate a trained run and write the weights that segment uses.

Fits the verdict on doubtful pieces, chooses the threshold and calibrates the volume interval on synthetic patients kept
apart from training. What the network thought of each is kept in RUN/calibration (for released weights: in calibration
beside OUT), so a second run only makes the choice again.
"""

from pathlib import Path

from .console import count, say
from .evaluate import add_jobs_argument


def add_arguments(parser) -> None:
    parser.add_argument("run_folder", type=Path, metavar="RUN",
                        help="folder of the training run, or of released weights to calibrate again")
    parser.add_argument("data", type=Path, metavar="DATA", help="folder of the bleed-free heads")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder for the weights and their manifest")
    parser.add_argument("--model-version", required=True, help="name of these weights in every report")
    parser.add_argument("--patients", type=count, default=100, help="synthetic patients to calibrate on")
    parser.add_argument("--start-share", type=float, default=0.0, metavar="SHARE",
                        help="mix this share of the weights that the run started from into those of its end, 0 to 1")
    parser.add_argument("--coarse-of", type=Path, metavar="WEIGHTS",
                        help="RUN is of the preset coarse: write the weights of the coarse pass that belongs to these "
                             "weights; OUT is then WEIGHTS/coarse")
    parser.add_argument("--intervals-only", action="store_true",
                        help="RUN is a folder of released weights: keep threshold and pieces, calibrate the intervals")
    parser.add_argument("--trained-heads", type=count, default=0, metavar="N",
                        help="with --intervals-only: so many more patients, with new bleeds in the heads of training")
    add_jobs_argument(parser)


def run(args) -> None:
    import logging

    from ..calibration.release import is_run, release, release_coarse, release_intervals
    from ..core.errors import InputError
    from ..imaging.itk_threads import use_one_itk_thread
    from ..synthetic.background_pool import load_pool
    from ..synthetic.patients import default_jobs

    if args.trained_heads and not args.intervals_only:
        raise InputError("--trained-heads goes with --intervals-only: the threshold is chosen in heads that the "
                         "network has not seen.")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    use_one_itk_thread()
    beside = args.run_folder if is_run(args.run_folder) else args.out
    pool = load_pool(args.data, beside.parent / "heads.npz")
    jobs = default_jobs() if args.jobs is None else args.jobs
    if args.coarse_of:
        fields = release_coarse(args.run_folder, args.out, pool, version=args.model_version,
                                fine_weights=args.coarse_of, patients=args.patients, jobs=jobs)
        say(f"Coarse pass {fields['version']}, threshold {fields['threshold']}: {args.out}")
        return
    if args.intervals_only:
        fields = release_intervals(args.run_folder, args.out, pool, version=args.model_version, patients=args.patients,
                                   trained_heads=args.trained_heads, jobs=jobs)
        widths = ", ".join(f"{name} {one['quantile']:.3f} ({one['patients']})"
                           for name, one in fields["calibration"].items() if name.startswith("interval"))
        say(f"Weights {fields['version']}, quantiles (patients): {widths}: {args.out}")
        return
    fields = release(args.run_folder, args.out, pool, version=args.model_version, patients=args.patients, jobs=jobs,
                     start_share=args.start_share)
    say(f"Weights {fields['version']}, threshold {fields['threshold']}: {args.out}")
