"""Train the six networks of the paper for equal minutes with the same seeds, and test them on the same patients.

Run: python Testing/benchmarks/rival_networks.py DATA -o runs/rivals --minutes 60 --seeds 0 1 --patients 60
DATA holds the bleed-free heads (see Resources/ModelCard.md). Six networks times two seeds take twelve such hours of
one quiet machine, and the test beside. On a processor minutes and seconds are processor time (give it one thread:
OMP_NUM_THREADS=1), so that other work on the machine changes nothing. OUT/runs.jsonl gets one line a run; runs that
are there are not repeated, a run that was stopped goes on. OUT/Rivals.md is the table; copy it to Resources/Rivals.md
when all is done. `--only` takes names; `--dry-run` trains the smallest networks for a few seconds each, to see that
everything is there: its figures say nothing. Needs `pip install .[train,networks]`.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def main():
    from ICHVolumeLib.experiments.rival_networks import SIX, Setting, configs, run_all, tiny_configs

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA", help="folder of the bleed-free heads")
    parser.add_argument("-o", "--out", type=Path, default=Path("runs/rivals"))
    parser.add_argument("--minutes", type=float, default=60, help="of training, each network and seed")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--patients", type=int, default=60, help="synthetic patients of the test")
    parser.add_argument("--only", nargs="+", choices=SIX, default=SIX, metavar="NAME")
    parser.add_argument("--size", type=int, default=224, help="pixels of a crop")
    parser.add_argument("--pixel-mm", type=float, default=0.9)
    parser.add_argument("--batch", type=int, default=8, help="slices of a step")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--dry-run", action="store_true", help="the smallest networks, 64 pixels, 3 seconds, 1 patient")
    args = parser.parse_args()

    from ICHVolumeLib.imaging.itk_threads import use_one_itk_thread
    from ICHVolumeLib.synthetic.background_pool import load_pool

    use_one_itk_thread()
    setting = Setting(args.minutes, args.patients, args.size, args.pixel_mm, args.batch)
    chosen = configs(tuple(args.only))
    if args.dry_run:
        setting, chosen = Setting(0.05, 1, 64, 3.6, 4), tiny_configs(tuple(args.only))
    args.out.mkdir(parents=True, exist_ok=True)
    pool = load_pool(args.data, args.out.parent / "heads.npz")
    rows = run_all(pool, chosen, setting, args.seeds, args.out, args.device, say)
    seeds = " ".join(str(seed) for seed in sorted({row["seed"] for row in rows}))
    command = (f"python Testing/benchmarks/rival_networks.py DATA --minutes {args.minutes:g} --seeds {seeds} "
               f"--patients {args.patients} --size {args.size} --pixel-mm {args.pixel_mm:g} --batch {args.batch} "
               f"--device {args.device}")
    write(args.out / "Rivals.md", rows, "a dry run: nothing here says anything" if args.dry_run else command)


def write(path: Path, rows: list[dict], command: str):
    from ICHVolumeLib.experiments.rival_table import claim, conditions, table

    text = f"# The six networks of the paper\n\n{conditions(rows)}\n\n    {command}\n\n{table(rows)}\n{claim(rows)}"
    path.write_text(text, encoding="utf-8", newline="\n")
    say(text)


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
