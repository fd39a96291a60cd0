"""Measure a model on real slices with masks, kept apart from training.

DATA holds ct_ich_v1_bleeds/, ct_ich_v1_normal/ and ct_ich_v1_extra_axial/ (see the model card). Writes OUT/slices.jsonl
and OUT/figures.json and prints the figures; goes on where it was stopped.
"""

from pathlib import Path

from .console import say


def add_arguments(parser) -> None:
    parser.add_argument("data", type=Path, metavar="DATA", help="folder of the real slices")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--weights", type=Path, metavar="DIR")
    parser.add_argument("--brighter", type=float, default=0.0, metavar="HU",
                        help="add so many HU to all soft tissue, as another dose or calibration does")
    parser.add_argument("--mirrored", action="store_true",
                        help="exchange left and right: what differs from the figures without it is chance")
    parser.add_argument("--bleeds-only", action="store_true", help="leave the patients without blood in the brain out")


def run(args) -> None:
    import json
    import logging
    from itertools import chain

    from ..datasets.case import VALIDATE
    from ..datasets.ct_ich_bleeds import OUTSIDE_ONLY, load_bleeds, load_without_bleed
    from ..evaluation.prediction import predict_with
    from ..evaluation.real_scores import brightened, mirrored, model_mark, score_stacks, summarise_real
    from ..segmentation.segmenter import Segmenter
    from ..synthetic.background_pool import is_validation

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    args.out.mkdir(parents=True, exist_ok=True)
    segmenter = Segmenter(weights_dir=args.weights)
    stacks = load_bleeds(args.data, VALIDATE, OUTSIDE_ONLY)
    if not args.bleeds_only:
        stacks = chain(stacks, load_without_bleed(args.data, is_validation))
    if args.brighter:
        stacks = (brightened(stack, args.brighter) for stack in stacks)
    if args.mirrored:
        stacks = map(mirrored, stacks)
    mark = model_mark(segmenter) + (f", {args.brighter:+g} HU" if args.brighter else "")
    mark += ", mirrored" if args.mirrored else ""
    rows = score_stacks(predict_with(segmenter), mark, stacks, args.out / "slices.jsonl")
    figures = {"model": mark, **summarise_real(rows)}
    text = json.dumps(figures, indent=2)
    (args.out / "figures.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    say(text)
