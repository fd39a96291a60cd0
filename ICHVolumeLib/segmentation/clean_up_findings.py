"""What the clean-up did to the network's mask, in sentences: so that a person looks there, and knows why."""

from ..core.findings import INFO, WARNING, Finding
from ..postprocessing.steps import DOUBTFUL_COMPONENTS, POSSIBLE_COMPONENTS
from .below_skull import STEP as BELOW_SKULL

MUCH_SHARE, MUCH_ML = 0.1, 0.1  # of the marked volume, and at least so much: a surgeon would ask why

_WHY_ADDED = {
    POSSIBLE_COMPONENTS: "possible pieces stand out from the brain as a bleed does",
    "slice ends": "the first and last slices of a bleed are often filled in part only",
    "half-marked clots": "clots that the network marked by half are marked whole",
    "outlines": "outlines lie where half of the contrast is",
}
_WHY_REMOVED = {
    "outside the skull": "pieces lay outside the skull",
    "specks": "specks are too small to be told from noise",
    BELOW_SKULL: "pieces lay below the floor of the skull",
    DOUBTFUL_COMPONENTS: "pieces hardly stand out from the brain around them",
    "outlines": "outlines lie where half of the contrast is",
}


def clean_up_findings(steps: list[dict], marked_ml: float) -> list[Finding]:
    """steps: of clean_mask; marked_ml: the volume after them.

    doubtful-pieces, left-out-below-skull and possible-pieces name the slices to look at; clean-up-changed says that
    much was added or removed and why.
    """
    findings = [_doubtful(step, marked_ml) for step in steps
                if step["name"] == DOUBTFUL_COMPONENTS and step["removed_ml"] > 0]
    findings += [_below(step) for step in steps if step["name"] == BELOW_SKULL]
    findings += [_possible(step) for step in steps if step["name"] == POSSIBLE_COMPONENTS and step["slices"]]
    return findings + _much_changed(steps, marked_ml)


def _much_changed(steps, marked_ml) -> list[Finding]:
    limit_ml = max(MUCH_SHARE * marked_ml, MUCH_ML)
    sentences = []
    for kind, reasons, of in (("added", _WHY_ADDED, f"{marked_ml:.1f} mL"), ("removed", _WHY_REMOVED, "")):
        amounts = [(step["name"], step[f"{kind}_ml"]) for step in steps if step[f"{kind}_ml"] > 0]
        total_ml = sum(amount for _, amount in amounts)
        if total_ml < limit_ml:
            continue
        amounts.sort(key=lambda one: -one[1])
        why = "; ".join(f"{reasons.get(name, name)} ({_ml(amount)})" for name, amount in amounts
                        if amount >= 0.05 * total_ml)
        were = f"{_ml(total_ml)} of {of} were added" if kind == "added" else \
            f"{_ml(total_ml)} that the network had marked were removed"
        sentences.append(f"{were} by the clean-up because {why}.")
    return [Finding("clean-up-changed", INFO, " ".join(sentences))] if sentences else []


def _doubtful(step: dict, marked_ml: float) -> Finding:
    """What was left out as probably no bleed."""
    return Finding("doubtful-pieces", INFO if marked_ml else WARNING,
                   f"{step['removed_ml']:.2f} mL in {_slices_text(step['slices'])} looked like blood to the network, "
                   "but hardly stands out from the brain around it and was left out. Look there.")


def _below(step: dict) -> Finding:
    """What was left out because no brain is there."""
    return Finding("left-out-below-skull", INFO,
                   f"{step['removed_ml']:.2f} mL in {_slices_text(step['slices'])} looked like blood to the network, "
                   "but seem to lie below the floor of the skull, in the face, the neck or the spinal canal, and were "
                   "left out. Look there.")


def _possible(step: dict) -> Finding:
    """What was marked although the network was not sure."""
    return Finding("possible-pieces", INFO,
                   f"{step['added_ml']:.2f} mL in {_slices_text(step['slices'])} stands out from the brain around "
                   "it as a bleed does, but the network was not sure; it is marked. Look there.")


def _slices_text(indices: list[int]) -> str:
    where = ", ".join(str(k + 1) for k in indices[:12]) + (" and more" if len(indices) > 12 else "")
    return f"slice{'s' if len(indices) > 1 else ''} {where}"


def _ml(value: float) -> str:
    return f"{value:.2f} mL" if value < 1 else f"{value:.1f} mL"
