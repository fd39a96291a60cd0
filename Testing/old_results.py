"""A result.json as the first version wrote it, made from a result of today: what later fields say is taken out."""

LATER = ("interval_calibrated_on", "history", "files", "interval_ich_ml", "interval_ivh_ml", "label_intervals_ml",
         "outside_brain_ml", "abc2_minus_ich_ml", "abc2_minus_ich_percent", "marked_slices", "mask_origin")


def as_first_version(result) -> dict:
    """Its clean-up has one number a step, negative where more was added than removed."""
    values = {name: value for name, value in result.to_dict().items() if name not in LATER}
    values["geometry"] = {name: value for name, value in values["geometry"].items() if name != "slice_thickness_mm"}
    provenance = {name: value for name, value in values["provenance"].items()
                  if name not in ("scanned_at", "patient_key")}
    provenance["clean_up"] = [
        {**{name: value for name, value in step.items() if name != "added_ml"},
         "removed_ml": round(step["removed_ml"] - step["added_ml"], 6)} for step in provenance["clean_up"]]
    return {**values, "provenance": provenance}
