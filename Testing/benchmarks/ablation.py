"""Train variants of the network and of the generator with the same budget, and say what each is worth.

Run: python Testing/benchmarks/ablation.py DATA -o runs/ablation --slices 6000 --seeds 0 1 2
OUT/runs.jsonl gets one line a run; runs that are there are not repeated. OUT/table.md is the table for the model card.
`--list` names the variants; `--only` takes parts of their names. Two calls side by side, of one thread each
(OMP_NUM_THREADS=1) and with different variants, use two cores best: a run takes some seven minutes then.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", metavar="DATA", help="folder of the bleed-free heads")
    parser.add_argument("-o", "--out", type=Path, default=Path("runs/ablation"))
    parser.add_argument("--only", nargs="+", metavar="NAME", help="variants whose name holds one of these")
    parser.add_argument("--slices", type=int, default=6000, help="training slices of every run")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--list", action="store_true", help="name the variants and end")
    args = parser.parse_args()

    from ICHVolumeLib.experiments.ablation import PATIENTS, claim, run_all, table, variants
    from ICHVolumeLib.synthetic.background_pool import load_pool

    chosen = [one for one in variants() if not args.only or any(part in one.name for part in args.only)]
    if args.list:
        sys.stdout.write("\n".join(one.name for one in chosen) + "\n")
        return
    if args.data is None or not chosen:
        parser.error("give DATA, and variants that --list names")
    args.out.mkdir(parents=True, exist_ok=True)
    pool = load_pool(args.data, args.out.parent / "heads.npz")
    rows = run_all(pool, chosen, args.slices, args.seeds, args.out, args.device, say)
    seeds = " ".join(str(seed) for seed in sorted({row["seed"] for row in rows}))
    text = (f"{args.slices:,} training slices each, whole heads of 1.6 mm pixels unless the line says otherwise; "
            f"{PATIENTS}\nvalidation patients, threshold 0.5, no clean-up; mean and standard deviation over the seeds. "
            "A line of one seed\ncan be off by the base's standard deviation.\n\n"
            f"    python Testing/benchmarks/ablation.py DATA --slices {args.slices} --seeds {seeds}\n\n"
            f"{table(rows)}\n{claim(rows)}")
    (args.out / "table.md").write_text(text, encoding="utf-8", newline="\n")
    say(text)


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
