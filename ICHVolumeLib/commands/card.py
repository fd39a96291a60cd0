"""Write the model card from an evaluation: figures beside their targets, curves, failures with pictures.

FIGURES is the folder that `ichvolume evaluate` wrote. Pictures are copied to Pictures/model beside the card.
"""

from pathlib import Path

from .console import say


def add_arguments(parser) -> None:
    parser.add_argument("figures", type=Path, metavar="FIGURES", help="folder of the evaluation")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="FILE", help="the card, a Markdown file")
    parser.add_argument("--weights", type=Path, metavar="DIR", help="the weights that were evaluated")
    parser.add_argument("--run", dest="runs", type=Path, action="append", default=[], metavar="RUN",
                        help="a training run, for curves and training time (repeat in the order of training)")
    parser.add_argument("--note", type=Path, metavar="FILE", help="Markdown to show below the training runs")
    parser.add_argument("--before", type=Path, metavar="FIGURES",
                        help="evaluation of the weights before, on the same patients")
    parser.add_argument("--real", type=Path, metavar="FIGURES", help="what `ichvolume real` wrote for these weights")
    parser.add_argument("--real-before", type=Path, metavar="FIGURES", help="and for the weights before")
    parser.add_argument("--ablation", type=Path, metavar="FILE", help="the Markdown table of Testing/benchmarks/"
                                                                      "ablation.py")


def run(args) -> None:
    from ..evaluation.model_card import write_card
    from ..network.weights import load_weights, weights_folder

    weights = load_weights(args.weights)
    megabytes = (weights_folder(args.weights) / weights.file_name).stat().st_size / 1e6
    note, ablation = (file.read_text(encoding="utf-8") if file else "" for file in (args.note, args.ablation))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    files = write_card(args.out, args.figures, weights, megabytes, args.runs, ablation, note, args.before,
                       args.real, args.real_before)
    say("Written: " + ", ".join(str(file) for file in files))
