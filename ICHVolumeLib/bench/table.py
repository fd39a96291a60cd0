"""The figures of run.run_bench as lines of text."""

from collections.abc import Iterator

from .engines import WORDS
from .machine import VOID_LOAD

STEP_GROUPS = {"start and import": ("start", "import", "weights"), "read": ("read", "check", "prepare"),
               "compile": ("compile",), "coarse pass": ("coarse",), "network": ("network",),
               "clean and measure": ("clean", "measure"), "write": ("write",)}


def lines(result: dict) -> Iterator[str]:
    """The whole table, line by line."""
    yield from _head(result)
    for part in result["engines"].values():
        yield from _engines(part)
    yield from _case(result["case"])
    yield ""
    yield "Measuring again after an edit, ms   " + "   ".join(
        f"{slices} slices {ms:.0f}" for slices, ms in result["remeasure_ms"].items())
    yield from _reading(result["case"].get("reading_ms"))
    yield from _savings(result.get("savings"))
    yield from _peers(result.get("peers"))
    yield ""
    yield from _validity(result)


def _head(result) -> Iterator[str]:
    machine, scan = result["machine"], result["scan"]
    yield f"{machine['processor']}, {machine['cores']} cores, {machine['threads']} threads used; {machine['system']}"
    if machine["instruction_sets"]:
        yield f"Instruction sets   {' '.join(machine['instruction_sets'])}"
    yield f"OpenVINO offers    {' '.join(machine['openvino_offers']) or 'nothing, it is not installed'}"
    yield f"GPU                {machine['gpu'] or 'none'}"
    yield "Versions           " + ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    yield (f"Weights            {result['model']['version']}, made for {result['model']['pixel_mm']:.2f} mm pixels; "
           f"scan {'x'.join(map(str, scan['shape']))}, {scan['spacing_mm'][0]:.2f} mm pixels")


def _engines(part) -> Iterator[str]:
    rows, columns = part["pixels"]
    yield ""
    yield (f"One slice, {rows}x{columns} pixels ({part['what']}), median of {part['rounds']} rounds; Dice of all "
           f"{part['slices']} slices against {WORDS.get(part['reference'], 'none')}")
    if part["gflop_as_run"] is not None:
        yield (f"{part['gflop_published']:.1f} GFLOP as published, {part['gflop_as_run']:.1f} as OpenVINO runs it; "
               "measured peak " + ", ".join(f"{peak:.0f} GFLOP/s {name}"
                                            for name, peak in part["peak_gflop_s"].items()))
    yield f"  {'engine':36}{'ms':>9}{'times eager':>13}{'Dice':>9}{'of peak':>9}"
    for row in part["rows"]:
        yield (f"  {row['label']:36}{row['ms']:9.1f}{_number(row['ratio'], '.2f'):>13}"
               f"{_number(row['dice'], '.4f'):>9}{_percent(row['share_of_peak']):>9}")
    for name, reason in part["left_out"].items():
        yield f"  {name}: not run ({reason})"
    yield from _layers(part.get("layers"))


def _layers(layers) -> Iterator[str]:
    if not layers:
        return
    yield (f"  Layer by layer, {layers['precision']}; peak {layers['peak_gflop_s']:.0f} GFLOP/s, bandwidth "
           f"{layers['bandwidth_gb_s']:.0f} GB/s in the same rounds")
    yield f"    {'layer':42}{'kernel':17}{'out':>14}{'GFLOP':>8}{'ms':>8}{'bound':>8}{'of it':>7}  {'limit':11}of peak"
    for row in layers["rows"]:
        yield (f"    {row['layer']:42}{row['kind']:17}{'x'.join(map(str, row['out'])):>14}{row['gflop']:8.2f}"
               f"{_number(row['ms'], '.2f'):>8}{_number(row['bound_ms'], '.2f'):>8}"
               f"{_percent(row['share_of_bound']):>7}  {row['limit']:11}{_percent(row['share_of_peak'])}")


def _case(case) -> Iterator[str]:
    yield ""
    yield (f"A whole case of {case['slices']} slices, DICOM folder to mask file, {case['device']} with all cores "
           f"(median of {case['children']})")
    kinds = {"first ever (compiles, measures the processor)": case["first_ever"],
             "cold (new process)": case["cold"], "warm (second scan in the process)": case["warm"]}
    for name, steps in kinds.items():
        yield f"  {name:46}{steps['total']:7.2f} s   {_shares(steps)}"
    report = case["after_the_mask"]
    yield "  after the mask, s: " + ", ".join(f"{name} {seconds:.2f}" for name, seconds in report.items())
    yield f"  most memory of the process: {_number(case['peak_memory_mb'], '.0f')} MB"
    if thin := case.get("thin"):
        yield (f"  {thin['slices']} slices: cold {thin['cold']['total']:.2f} s, warm {thin['warm']['total']:.2f} s "
               f"({1000 * thin['warm']['total'] / thin['slices']:.1f} ms a slice; {case['slices']} slices: "
               f"{1000 * case['warm']['total'] / case['slices']:.1f}); "
               f"most memory {_number(thin['peak_memory_mb'], '.0f')} MB")


def _shares(steps: dict) -> str:
    groups = {name: sum(steps.get(step, 0.0) for step in members) for name, members in STEP_GROUPS.items()}
    return ", ".join(f"{name} {seconds / steps['total']:.0%}" for name, seconds in groups.items() if seconds)


def _reading(times) -> Iterator[str]:
    if times:
        yield (f"Reading the thin DICOM slices, ms   ours {times['ours']:.0f}, SimpleITK's series reader "
               f"{times['SimpleITK']:.0f}: {times['ratio']:.2f} times as fast")


def _savings(found) -> Iterator[str]:
    if found:
        yield (f"Coarse pass, box, skipped slices    {found['speed_ratio']:.2f} times as fast as the full run; Dice "
               f"against it {_number(found['dice_mean'], '.4f')}, lowest {_number(found['dice_min'], '.4f')}, "
               f"{len(found['cases'])} made patients")
        for row in found["cases"]:
            yield (f"  {row['patient']:34}{row['full_seconds'] / row['seconds']:6.2f} times   Dice "
                   f"{_number(row['dice'], '.4f')}   {row['marked_voxels']} voxels marked")


def _peers(peers) -> Iterator[str]:
    if peers is None:
        return
    yield ""
    if "left_out" in peers:
        yield f"Other networks: {peers['left_out']}"
        return
    yield f"Other networks, random weights, torch fp32, network only; ICHVolume's part is {peers['ours_seconds']:.2f} s"
    yield f"  {'network':16}{'s a case':>10}{'times ours':>12}  by proportion from"
    for row in peers["rows"]:
        yield (f"  {row['name']:16}{row['case_seconds']:10.1f}{row['times_ours']:12.1f}  {row['timed_parts']} of "
               f"{row['parts']} slices or windows; {row['size']}")


def _validity(result) -> Iterator[str]:
    if result["load_before"] is not None:
        yield (f"Load {result['load_before']} before, {result['load_after']} after; this process had "
               f"{result['processor_seconds']:.0f} s of processor in {result['seconds']:.0f} s")
    if result["void"]:
        yield f"VOID: the load was over {VOID_LOAD:.0f}, so something else ran; run it again on a quiet computer."
    if result["quick"]:
        yield "Quick version: fewer rounds than the protocol asks for, and no peers, thin slices or full runs."


def _number(value, form: str) -> str:
    return "-" if value is None else format(value, form)


def _percent(value) -> str:
    return "-" if value is None else f"{value:.0%}"
