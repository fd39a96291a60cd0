"""Train AttFocusNet on synthetic hemorrhages in bleed-free heads.

DATA holds ct_ich_v1_normal/, ct_ich_v1_extra_axial/ and anatomy/ (see the model card). A run continues where it
stopped. Needs torch and, for the curves as a picture, matplotlib.
"""

from pathlib import Path

from .console import count, say


def add_arguments(parser) -> None:
    parser.add_argument("data", type=Path, metavar="DATA", help="folder of the bleed-free heads")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of the run (checkpoint, curves)")
    parser.add_argument("--preset", default="practical",
                        choices=("paper", "practical", "fine", "small", "faint", "real", "many"))
    parser.add_argument("--width", type=int, default=16, help="base width of the network")
    parser.add_argument("--fusion", choices=("R1", "R2", "R3"), default="R1")
    parser.add_argument("--gate", choices=("concat", "add"), default="concat")
    parser.add_argument("--no-focus", action="store_true", help="AttUNet: the paper's baseline")
    parser.add_argument("--in-slices", type=int, default=1, choices=(1, 3))
    parser.add_argument("--minutes", type=float, help="end the schedule after this time instead of the preset's epochs")
    parser.add_argument("--start-from", type=Path, metavar="FOLDER",
                        help="start from the averaged weights of another run, or from released weights")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--jobs", type=count, default=0, metavar="N",
                        help="make the slices in N other processes; for a GPU, with --preset many")
    parser.add_argument("--real-bleeds", action="store_true",
                        help="show the real bleeds of DATA/ct_ich_v1_bleeds, too, as often as the preset says")
    parser.add_argument("--made-heads", type=count, metavar="N", help="heads made by code among the others (24)")


def run(args) -> None:
    import logging

    from ..network.config import AttFocusNetConfig
    from ..training.curves import draw_curves
    from ..training.heads import load_pool
    from ..training.plans import PLANS
    from ..training.real_blocks import RealBlocks
    from ..training.train import check_jobs, train

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    config = AttFocusNetConfig(base_width=args.width, fusion=args.fusion, gate=args.gate, focus=not args.no_focus,
                               in_slices=args.in_slices)
    check_jobs(PLANS[args.preset], args.jobs)  # before the heads are read, which takes a minute
    if args.made_heads is None:
        pool = load_pool(args.data, args.out.parent / "heads.npz")
    else:
        pool = load_pool(args.data, args.out.parent / f"heads{args.made_heads}.npz", made=args.made_heads)
    train(pool, args.out, PLANS[args.preset], config, seed=args.seed, minutes=args.minutes, device=args.device,
          start_from=args.start_from, jobs=args.jobs,
          real=RealBlocks.of_training(args.data) if args.real_bleeds else None)
    draw_curves(args.out)
    say(f"Checkpoint, curves.json and curves.png: {args.out}")
