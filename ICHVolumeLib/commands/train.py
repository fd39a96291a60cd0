"""Train a network on synthetic hemorrhages in bleed-free heads.

DATA holds ct_ich_v1_normal/, ct_ich_v1_extra_axial/ and anatomy/ (see the model card). A run continues where it
stopped, bit for bit on a processor. Needs torch and, for the curves as a picture, matplotlib.

    torchrun --nproc_per_node=2 -m ICHVolumeLib train DATA -o RUN --device cuda

trains on the two GPUs of a computer (or, without --device, in two processes): each makes and computes its share of
every batch, and a step is that of one process with the whole batch.
"""

from pathlib import Path

from .console import count, say

OPTIONS = {"base_width": "--width", "fusion": "--fusion", "gate": "--gate", "focus": "--no-focus",
           "in_slices": "--in-slices", "window": "--window"}  # of a network's configuration; not every one has all


def add_arguments(parser) -> None:
    parser.add_argument("data", type=Path, metavar="DATA", help="folder of the bleed-free heads")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of the run (checkpoint, curves)")
    parser.add_argument("--preset", default="practical",
                        choices=("paper", "practical", "fine", "small", "faint", "real", "coarse", "many"))
    parser.add_argument("--network", default="attfocusnet", metavar="NAME",
                        help="attfocusnet (default), attunet, unetpp, pranet, unet3d, unetr or another that "
                             "network/registry.py lists")
    parser.add_argument("--width", dest="base_width", type=int,
                        help="base width of the network (16; unetpp and unet3d 32, pranet 64)")
    parser.add_argument("--window", type=count, help="rows and columns of the patches of unet3d and unetr (128)")
    parser.add_argument("--fusion", choices=("R1", "R2", "R3"), help="of attfocusnet (R1)")
    parser.add_argument("--gate", choices=("concat", "add"), help="of attfocusnet and attunet (concat)")
    parser.add_argument("--no-focus", dest="focus", action="store_false", default=None,
                        help="attfocusnet without its focus structure, as attunet")
    parser.add_argument("--in-slices", type=int, choices=(1, 3, 16, 32),
                        help="slices that the network sees together (1); of unet3d and unetr the stack (16)")
    parser.add_argument("--minutes", type=float, help="end the schedule after this time instead of the preset's epochs")
    parser.add_argument("--start-from", type=Path, metavar="FOLDER",
                        help="start from the averaged weights of another run, or from released weights")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--jobs", type=count, default=0, metavar="N",
                        help="make the slices in N other processes; for a GPU, with --preset many")
    parser.add_argument("--parts", type=count, default=1, metavar="N",
                        help="in one process, show the slices that N processes of torchrun would (1)")
    parser.add_argument("--tensorboard", action="store_true",
                        help="log into RUN/tensorboard, too; needs the package tensorboard")
    parser.add_argument("--real-bleeds", action="store_true",
                        help="show the real bleeds of DATA/ct_ich_v1_bleeds, too, as often as the preset says")
    parser.add_argument("--made-heads", type=count, metavar="N", help="heads made by code among the others (24)")


def run(args) -> None:
    import logging

    from ..network.registry import find_network
    from ..training.plans import PLANS
    from ..training.processes import joined_processes
    from ..training.tensorboard_log import check_tensorboard
    from ..training.train import check_jobs, check_network, check_parts

    plan = PLANS[args.preset]
    config = _config(args, plan.classes)
    check_jobs(plan, args.jobs)  # before the heads are read, which takes a minute
    check_network(plan, config)
    find_network(args.network).check_packages()
    if args.tensorboard:
        check_tensorboard()
    with joined_processes(args.device) as processes:
        check_parts(plan, config, max(args.parts, 1), processes, args.jobs)
        if processes.is_first:
            logging.basicConfig(level=logging.INFO, format="%(message)s")
        _train(args, config, plan, processes)


def _train(args, config, plan, processes) -> None:
    from ..training.curves import draw_curves
    from ..training.real_blocks import RealBlocks
    from ..training.train import train

    if not processes.is_first:
        processes.wait()  # until the first one has made the heads that all read
    pool = _heads(args)
    if processes.is_first:
        processes.wait()
    train(pool, args.out, plan, config, seed=args.seed, minutes=args.minutes, device=args.device,
          start_from=args.start_from, jobs=args.jobs,
          real=RealBlocks.of_training(args.data) if args.real_bleeds else None, parts=max(args.parts, 1),
          processes=processes, tensorboard=args.tensorboard)
    if processes.is_first:
        draw_curves(args.out)
        say(f"Checkpoint, curves.json and curves.png: {args.out}")


def _heads(args):
    from ..synthetic.background_pool import load_pool

    if args.made_heads is None:
        return load_pool(args.data, args.out.parent / "heads.npz")
    return load_pool(args.data, args.out.parent / f"heads{args.made_heads}.npz", made=args.made_heads)


def _config(args, classes: int):
    """The network's own configuration, with what was asked for and the plan's classes. Raises InputError where it has
    no such option."""
    from dataclasses import fields

    from ..core.errors import InputError
    from ..network.registry import find_network

    kind = find_network(args.network).config_class
    asked = {name: getattr(args, name) for name in OPTIONS if getattr(args, name) is not None}
    foreign = [OPTIONS[name] for name in asked if name not in {item.name for item in fields(kind)}]
    if foreign:
        raise InputError(f"The network {args.network} has no option {', '.join(foreign)}; leave it out.")
    return kind.from_dict(asked | {"classes": classes})
