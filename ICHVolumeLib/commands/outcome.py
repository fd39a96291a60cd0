"""What `segment` and `measure` say at the end."""

from ..clinical.scores import CARE_NOTE
from ..report.mass_effect_words import with_midline
from ..report.site_words import site_remark, site_sentence
from ..report.summary import RESEARCH_USE, finding_lines, headline, summary_rows
from .console import say, say_json


def tell_outcome(case, progress_kind: str) -> None:
    """A short table, or with --progress json one last JSON line."""
    if progress_kind == "json":
        volume = case.result.volume_ml
        say_json({"event": "done", "found": case.result.found, "out": str(case.out),
                  "volume_ml": {"total": volume.total, "ich": volume.ich, "ivh": volume.ivh},
                  "seconds": case.seconds})
        return
    say(headline(case.result))
    if site_sentence(case.result):
        say(f"{with_midline(site_sentence(case.result), case.result)}: {site_remark(case.result)}")
    say()
    for row in summary_rows(case.result):
        say(f"  {row.name:<16} {row.value:<10}  {row.remark}".rstrip())
    say()
    say("Findings")
    for line in finding_lines(case.result.findings):
        say(line)
    say()
    say("Seconds   " + "  ".join(f"{name} {seconds:.2f}" for name, seconds in case.seconds.items()))
    say(f"Written   {case.out}: " + ", ".join(case.written))
    say()
    say(CARE_NOTE)
    say(RESEARCH_USE)
