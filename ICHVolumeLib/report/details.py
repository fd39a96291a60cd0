"""The lower half of the page: score items, ABC/2 variants, pieces, geometry, notes and provenance."""

from ..core.result import Result, Score, clean_up_change_ml
from ..quality.checks import spacing_words
from .html_parts import definitions, finding_item, text
from .summary import counting_words, ml, score_text, words

_SOURCE = {"entered": "entered", "mask": "from the mask", "unknown": ""}


def details(result: Result) -> str:
    """Every table of the page, in reading order."""
    parts = []
    if result.ich_score.applies:
        parts += ['<div class="two">', _score_table(result.ich_score, "ICH score, item by item"),
                  _abc2_table(result), "</div>", f'<p class="care">{text(result.ich_score.note)}</p>',
                  '<div class="two">', _score_table(result.max_ich), _score_table(result.func), "</div>"]
    if result.found:
        parts.append(_component_table(result))
    parts += ['<div class="two">', _notes(result), _geometry(result), "</div>", _provenance(result)]
    return "".join(parts)


def _score_table(score: Score, title=None):
    rows = []
    for name, item in score.inputs.items():
        unknown = item["source"] == "unknown"
        points = "?" if item["points"] is None else item["points"]
        rows.append(f'<tr><td>{text(words(name)).capitalize() if name not in ("gcs", "ivh", "nihss") else words(name)}'
                    f'</td><td>{"unknown" if unknown else text(_item_value(name, item["value"]))}</td>'
                    f'<td class="muted">{_SOURCE.get(item["source"], text(item["source"]))}</td>'
                    f'<td class="n">{points}</td></tr>')
    title = title or score.name
    return (f'<div class="keep"><h2>{text(title)} <small>{text(score_text(score))}</small></h2><table><thead><tr>'
            '<th>Item</th><th>Value</th><th>Source</th><th class="n">Points</th></tr></thead>'
            f"<tbody>{''.join(rows)}</tbody></table></div>")


def _item_value(name, value):
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name.endswith("_ml"):
        return ml(value)
    if isinstance(value, float):
        return f"{value:g}" + (" years" if name == "age_years" else "")
    return value


def _abc2_table(result: Result):
    abc2 = result.abc2
    if abc2 is None:
        return ""
    rows = (("ABC/2, Coniglobus (as in the paper)", abc2.coniglobus_ml, f"C {abc2.c_mm:.1f} mm, every slice counted"),
            ("ABC/2, Kothari", abc2.kothari_ml, f"C {abc2.c_kothari_mm:.1f} mm, slices weighted by area"),
            ("ABC/3", abc2.abc3_ml, "for irregular and anticoagulated bleeds"),
            ("2/3 S h", abc2.two_thirds_sh_ml, "S the largest area, h the height"))
    body = "".join(f'<tr><td>{name}</td><td class="n">{ml(value)}</td><td class="muted">{remark}</td></tr>'
                   for name, value, remark in rows)
    body += (f'<tr><td>Voxel volume of the ICH</td><td class="n">{ml(result.volume_ml.ich)}</td>'
             '<td class="muted">what the formulas estimate</td></tr>')
    return (f'<div class="keep"><h2>Formulas <small>{text(abc2.shape_class)} shape</small></h2><table><thead><tr>'
            f'<th>Formula</th><th class="n">Volume</th><th></th></tr></thead><tbody>{body}</tbody></table></div>')


def _component_table(result: Result, most=12):
    rows = []
    for number, piece in enumerate(result.components[:most], 1):
        first, last = piece.slice_range
        abc2 = ml(piece.abc2_ml) if piece.abc2_ml is not None else ""
        if piece.abc2_ml is not None and not piece.counted_in_abc2:
            abc2 += " (not summed)"
        extent = " × ".join(f"{size:.0f}" for size in piece.extent_mm)
        centroid = ", ".join(f"{value:.0f}" for value in piece.centroid_ras)
        rows.append(f'<tr{"" if piece.volume_ml >= 0.1 else " class=off"}><td>{number}</td>'
                    f'<td><span class="dot bg-{text(piece.label.lower())}"></span>{text(piece.label)}</td>'
                    f'<td class="n">{ml(piece.volume_ml)}</td><td class="n">{piece.mean_hu:.0f}</td>'
                    f'<td class="n">{extent}</td><td class="n">{centroid}</td>'
                    f'<td class="n">{first + 1} to {last + 1}</td><td class="n">{abc2}</td></tr>')
    left_out = result.components[most:]
    more = (f'<p class="care">And {len(left_out)} smaller pieces, {ml(sum(piece.volume_ml for piece in left_out))} '
            "together; all are in result.json.</p>" if left_out else "")
    return ('<div class="keep scroll"><h2>Pieces <small>connected parts, largest first</small></h2>'
            '<table><thead><tr><th></th><th>Label</th><th class="n">Volume</th><th class="n">Mean HU</th>'
            '<th class="n">Extent, mm</th>'
            '<th class="n">Centre, mm RAS</th><th class="n">Slices</th><th class="n">ABC/2</th></tr></thead>'
            f"<tbody>{''.join(rows)}</tbody></table>{more}</div>")


def _notes(result: Result):
    items = [finding_item(finding) for finding in result.findings if finding.severity == "info"]
    body = f'<ul class="findings">{"".join(items)}</ul>' if items else '<p class="muted">Nothing else was noticed.</p>'
    return f'<div class="keep"><h2>Notes</h2>{body}</div>'


def _geometry(result: Result):
    geometry = result.geometry
    rows_mm, columns_mm = geometry.pixel_spacing_mm
    return '<div class="keep"><h2>Geometry</h2>' + definitions((
        ("Slices", f"{geometry.slices} of {geometry.rows} × {geometry.columns} pixels{counting_words(geometry)}"),
        ("Pixel", f"{rows_mm:.3f} × {columns_mm:.3f} mm"),
        ("Slice heights", f"{spacing_words(geometry.slab_heights_mm)}, along the slice normal"),
        ("Gantry tilt", f"{geometry.tilt_deg:.1f} degrees"),
        ("Volume", result.volume_formula),
        ("3D model", _surface_text(result)),
    )) + "</div>"


def _surface_text(result):
    if not result.surface:
        return "none" if not result.found else ""
    surface = result.surface
    both = ", ICH and IVH together" if result.volume_ml.ich and result.volume_ml.ivh else ""
    return (f"{surface['file']}{both}, {surface['space']} mm, {surface['triangles']} triangles; encloses "
            f"{ml(surface['volume_ml'])} after smoothing (the voxel volume is the one to use)")


def _clean_up_text(step: dict) -> str:
    limit = f"threshold {step['threshold_mm3']:g} mm³, " if step["threshold_mm3"] is not None else ""
    removed_ml, added_ml = clean_up_change_ml(step)
    change = f"removed {removed_ml:.2f} mL" if removed_ml or not added_ml else ""
    change += (", " if change and added_ml else "") + (f"added {added_ml:.2f} mL" if added_ml else "")
    return f"{step['name']} ({limit}{change})"


def _provenance(result: Result):
    source = result.provenance
    clean_up = "; ".join(map(_clean_up_text, source.clean_up))
    by_model = source.engine != "none"
    if result.automatic_volume_ml:
        mask = "made by the model, then edited by a person"
    else:
        mask = "by the model" if by_model else "given by the user; no network ran"
    return '<div class="keep made"><h2>How it was made</h2>' + definitions((
        ("Software", source.software),
        ("Mask", mask),
        ("Model", source.model),
        ("Model SHA-256", source.model_sha256),
        ("Training data", source.training_data),
        ("Engine", f"{source.engine} on {source.device}" if by_model else ""),
        ("Clean-up", clean_up),
        ("Seconds", ", ".join(f"{name} {seconds:.2f}" for name, seconds in source.seconds.items())),
        ("Versions", ", ".join(f"{name} {number}" for name, number in source.versions.items())),
        ("Scanned", source.scanned_at.replace("T", " ")),
        ("Patient key", source.patient_key),
        ("Series UID", source.series_uid),
        ("Source", source.source),
    )) + "</div>"
