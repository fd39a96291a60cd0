"""Where the bleed lies, as a neurosurgeon would write it: always a suggestion, until a person has answered."""

from ..core.result import Result

_ADJECTIVES = {"lobar": "lobar", "deep": "deep", "cerebellum": "cerebellar", "brain stem": "brain stem",
               "infratentorial": "infratentorial", "supratentorial": "supratentorial"}
_SIDES = {"left": "left", "right": "right", "both": "bilateral", "midline": "midline"}


def site_sentence(result: Result) -> str:
    """"Left lobar hemorrhage with ventricular extension, 27 mL"; empty without a suggestion."""
    site = result.site
    if site is None or not result.found or result.is_probably_noise:
        return ""
    if result.is_ivh_only:
        return f"Intraventricular hemorrhage without a bleed in brain tissue, {_short_ml(result.volume_ml.ivh)}"
    place, structure = _place(result)
    side = "" if place == "brain stem" and site.side == "midline" else _SIDES[site.side]
    words = " ".join(part for part in (side, _ADJECTIVES[place], "hemorrhage") if part)
    within = f" ({structure})" if structure else ""
    extension = " with ventricular extension" if result.volume_ml.ivh else ""
    return f"{words[0].upper()}{words[1:]}{within}{extension}, {_short_ml(result.volume_ml.ich)}"


def site_remark(result: Result) -> str:
    """What to think of the sentence; empty without one."""
    site = result.site
    if not site_sentence(result) or site is None:
        return ""
    fit = f"certainty {site.certainty_word}, skull fitted to {site.fit_mm:.1f} mm"
    if _entered_site(result):
        return f"site as entered; side suggested from the place inside the skull ({fit})"
    return f"suggested from the place inside the skull, to be confirmed ({fit})"


def _place(result):
    """(site, structure): what a person entered, in the suggestion's finer words where they agree."""
    site, entered = result.site, _entered_site(result)
    agrees = entered in (None, site.location, "infratentorial" if site.infratentorial else "supratentorial")
    return (site.site, site.structure) if agrees else (entered, "")


def _entered_site(result):
    """"lobar", "deep", "infratentorial", "supratentorial", or None."""
    location = result.max_ich.inputs.get("location", {})
    if location.get("source") == "entered":
        return location["value"]
    infratentorial = result.ich_score.inputs.get("infratentorial", {})
    if infratentorial.get("source") == "entered":
        return "infratentorial" if infratentorial["value"] else "supratentorial"
    return None


def _short_ml(value):
    return f"{value:.0f} mL" if value >= 10 else f"{value:.1f} mL" if value >= 1 else f"{value:.2f} mL"
