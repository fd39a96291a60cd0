"""The model card's words about real slices, and about what the weights before did on the same cases."""

from .summary import Line, lines

REAL_SECTION = """\
## Real slices

Slices of CT-ICH v1.0.0 (Hssayeni et al., *Data* 2020;5:14, PhysioNet, **CC BY 4.0**) of patients kept apart from
training unless the row says otherwise, as whole stacks of 5 mm slices, through the whole product. Their masks were
**made for this project** by seed, half-contrast edge and eye, not by radiologists; those of four patients are the data
set's own coarse outlines. They are few and hard: a difference of a slice or two is chance.

    {command}

{table}

{words}

"""
DICE_ASKED = 0.65
OUTLINED = "blood outside the brain only, outlined"
NOT_HELD_OUT = {OUTLINED: " (p078 and p081, trained on as hard negatives)"}


def real_section(figures: dict | None, before: dict | None = None) -> str:
    """The section on real slices from figures.json of `ichvolume real`; before: of the weights before."""
    if figures is None:
        return ""
    columns = [one for one in (before, figures) if one]
    head = ["real slices", *(one["model"].split()[0] for one in columns)]
    rows = [f"| {' | '.join(row)} |" for row in (head, *_rows(columns))]
    table = "\n".join([rows[0], "|---" * len(head) + "|", *rows[1:]])
    return REAL_SECTION.format(command="ichvolume real DATA -o runs/real", table=table, words=_words(figures))


def _rows(columns: list[dict]) -> list[list[str]]:
    first = columns[-1]
    rows = []
    for name, what in (("dice", "any blood"), ("ich_dice", "ICH"), ("ivh_dice", "IVH")):
        if first[name]:
            rows.append([f"Dice per slice, {what} ({first[name]['slices']} slices), mean / median",
                         *(f"{one[name]['mean']:.2f} / {one[name]['median']:.2f}" for one in columns)])
    rows.append([f"slices with blood of which a tenth or more is marked ({first['bleeding_slices']})",
                 *(_percent(one["hit_rate"]) for one in columns)])
    rows.append(["IVH that was found but called ICH", *(_percent(one["ivh_called_ich"]) for one in columns)])
    for name, one in first["marked_slices"].items():
        if one["slices"]:
            rows.append([f"{name}{NOT_HELD_OUT.get(name, '')}: slices with more than 20 mm2 marked",
                         *(_share(each["marked_slices"][name]) for each in columns)])
    return rows


def _words(figures: dict) -> str:
    """What was asked for and is not reached, by its figure."""
    marked = figures["marked_slices"]
    asked = [("IVH called ICH under 15 %", figures["ivh_called_ich"], 0.15),
             ("at most 2 % of the slices without blood marked", _alarm_share(marked["normal"]), 0.02),
             ("at most 5 % of the slices with blood outside the brain only marked",
              _alarm_share(marked["blood outside the brain only"]), 0.05),
             ("at most 5 % of the slices with outlined blood outside the brain marked",
              _alarm_share(marked.get(OUTLINED, {"slices": 0})), 0.05)]
    short = [f"{what} (here {_percent(found)})" for what, found, most in asked if found is not None and found > most]
    dice = figures["dice"]
    if dice and dice["mean"] < DICE_ASKED:
        short.insert(0, f"a mean Dice of {DICE_ASKED:g} per slice with blood (here {dice['mean']:.2f})")
    hit = figures["hit_rate"]
    missed = f"In {_percent(1 - hit)} of the slices with blood it is missed. " if hit is not None else ""
    return missed + (f"Asked for and not reached: {'; '.join(short)}." if short else
                     "What was asked of marks on real slices is reached.")


def _alarm_share(one: dict) -> float | None:
    return one["marked"] / one["slices"] if one["slices"] else None


def _share(one: dict) -> str:
    return f"{one['marked']} of {one['slices']} ({_percent(_alarm_share(one))})"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f} %"


def comparison(table: list[Line], before: dict | None) -> str:
    """The table of figures; before: figures.json of the weights before, on the same patients, as a column more."""
    words = {True: "yes", False: "**no**", None: "-"}
    if before is None:
        rows = [f"| {line.what} | {line.found} | {line.target} | {words[line.met]} |" for line in table]
        return "\n".join(["| figure | found | asked for | reached |", "|---|---|---|---|", *rows])
    earlier = {line.what: line.found for line in lines(before)}
    rows = [f"| {line.what} | {earlier.get(line.what, '-')} | {line.found} | {line.target} | {words[line.met]} |"
            for line in table]
    head = [f"| figure | {before['model']['version']} | found | asked for | reached |", "|---|---|---|---|---|"]
    return "\n".join([*head, *rows])
