"""What a segment is by its name and codes: "ich", "ivh", "ignore" (known, but no blood in brain or ventricle), or None.

A name is understood only when every word of it is known; anything else is asked for, never guessed. The words are
those that tools and data sets write: 3D Slicer (ICH, ICH_1), TotalSegmentator (intracerebral_hemorrhage and its head
and brain classes), MONAIAuto3DSeg and DICOM SEG (terminology codes), BHSD and other nnU-Net data sets
(intraparenchymal, EDH, IPH, IVH, SAH, SDH), the ICH segmenter of 3D Slicer (ICH, IVH, PHE).
Not understood on purpose: "intracranial hemorrhage", "hemorrhage", "brain hemorrhage" (may lie outside the brain),
and names of several things ("ICH+IVH", "hematoma and edema").
"""

import re

from ..core.errors import InputError
from ..core.labels import ICH, IVH, OUTSIDE_BRAIN, Label

IGNORE = "ignore"
LABEL_OF: dict[str, Label] = {"ich": ICH, "ivh": IVH}
MEANINGS = (*LABEL_OF, IGNORE)

_NO_NAME = set("segment segmentation seg label mask roi class object foreground untitled unnamed default value "
               "annotation".split())
_SAYS_NOTHING = _NO_NAME | set(  # beside other words
    "a an the of in with and left right bilateral l r lt rt b c acute subacute hyperacute chronic spontaneous primary "
    "residual lateral third fourth horn frontal parietal temporal occipital internal deep hemisphere supratentorial "
    "infratentorial structure entire space system region area volume new copy final manual auto automatic ai gt truth "
    "ground prediction predicted pred corrected edited reviewed".split())
_BLOOD = set("hemorrhage hematoma bleed bleeding blood clot".split())
_ICH = set("ich iph sich intracerebral intraparenchymal intraaxial".split())
_IVH = set("ivh intraventricular".split())
_VENTRICLE = set("ventricle ventricular".split())
_BRAIN = set("brain cerebral cerebrum".split())
_BRAIN_PART = set(
    "parenchyma parenchymal tissue cerebellum cerebellar thalamus thalamic putamen putaminal pallidum pallidal caudate "
    "nucleus basal ganglia ganglion lentiform capsule lobe lobar insula insular pons pontine brainstem stem midbrain "
    "medulla medullary cortex cortical subcortical periventricular white gray grey matter".split())
_ELSEWHERE = set(  # places where blood is not counted
    "sdh asdh csdh edh sah asah subdural epidural extradural subarachnoid extraaxial extracerebral subgaleal "
    "scalp".split())
_NO_BLOOD = set(
    "edema phe perihematomal perilesional csf cerebrospinal fluid skull bone cranium calvarium head face skin "
    "background tumor neoplasm metastasis glioma meningioma midline falx tentorium dura meninges sinus venous vein "
    "artery vessel aneurysm calcification catheter drain evd shunt electrode metal implant clip coil air "
    "pneumocephalus infarct infarction ischemia gliosis hygroma cyst eye eyeball orbit lens optic nerve chiasm "
    "pituitary pineal choroid plexus septum pellucidum corpus callosum hippocampus amygdala sulcus central spinal "
    "cord vertebra vertebrae mandible teeth tooth tongue muscle fat parotid submandibular gland nasal cavity auditory "
    "canal palate airway pharynx nasopharynx oropharynx hypopharynx larynx trachea thyroid cartilage hyoid carotid "
    "jugular masseter temporalis ignore".split())
_SPELLINGS = {"haemorrhage": "hemorrhage", "haematoma": "hematoma", "oedema": "edema", "tumour": "tumor",
              "haemorrhages": "hemorrhage", "haematomas": "hematoma", "hematomata": "hematoma",
              "ischaemia": "ischemia", "calvaria": "calvarium", "perihaematomal": "perihematomal"}
_CODED = {  # SNOMED CT, and SNOMED RT as older files have it: in the words used here; "" says nothing
    "50960005": "hemorrhage", "M-37000": "hemorrhage", "35566002": "hematoma", "M-35060": "hematoma",
    "79654002": "edema", "M-36300": "edema", "85756007": "", "T-D0050": "", "49755003": "", "M-01000": "",
    "12738006": "brain", "T-A0100": "brain", "35764002": "ventricle", "T-A1600": "ventricle"}


def meaning_of(name: str, coded: str = "") -> str | None:
    """What a segment is, from its name and coded_words() of its codes; None when neither says it, or they disagree."""
    if name.strip() == OUTSIDE_BRAIN.name:  # this program's own
        return IGNORE
    by_name = None if is_unnamed(name) else _meaning(words_in(name), _BRAIN_PART)
    by_codes = _meaning(words_in(coded), _BRAIN | _BRAIN_PART)
    if by_name and by_codes and by_name != by_codes:
        return None
    return by_name or by_codes


def is_unnamed(name: str) -> bool:
    """True for "", "Segment_1", "label" and the like, which tools give by themselves."""
    return all(word in _NO_NAME for word in words_in(name))


def words_in(name: str) -> list[str]:
    """Lower-case words without digits, in one spelling: "ICH_1" -> ich; "SubduralHaematoma" -> subdural, hematoma.

    A sign that is no punctuation ("ICH?", a letter lost in another encoding) counts as a word of its own, "?".
    """
    if re.search(r"[^\w\s.,:;()\[\]/+&'-]", name):
        return [*words_in(re.sub(r"[^\w\s]", " ", name)), "?"]
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    plain = re.sub(r"[\W\d_]+", " ", apart).lower().strip()
    joined = re.sub(r"\b(intra|extra|sub|epi|peri) (?=[a-z])", r"\1", plain)  # intra-cerebral
    return [_in_one_spelling(word) for word in joined.split()]


def coded_words(type_code, region_code) -> str:
    """A segment's type and anatomic region as words for meaning_of.

    Each is (scheme, value, meaning), parts "" when missing; the value counts where it is known here, else the meaning.
    A type that says nothing ("Tissue", 3D Slicer's default) gives "", whatever the region.
    """
    kind, region = (_CODED.get(code[1], code[2]) for code in (type_code, region_code))
    return f"{kind} {region}".strip() if kind else ""


def terminology_words(entry: str) -> str:
    """coded_words of 3D Slicer's TerminologyEntry tag (context~category~type~modifier~context~region~modifier)."""
    fields = [tuple((field.split("^") + ["", "", ""])[:3]) for field in entry.split("~")] + [("", "", "")] * 7
    return coded_words(fields[2], fields[5])


def parse_label(text: str) -> tuple[str, str]:
    """NAME=ich, NAME=ivh or NAME=ignore to (name, meaning). Raises ValueError for anything else."""
    name, equals, meaning = text.rpartition("=")
    meaning = meaning.strip().lower()
    if not equals or not name.strip() or meaning not in MEANINGS:
        raise ValueError(f"{text!r} is not NAME=ich, NAME=ivh or NAME=ignore")
    return name.strip(), meaning


def checked_labels(labels) -> dict[str, str]:
    """{name or value: meaning} as read_mask takes it, to lower-case texts. Raises InputError for another meaning."""
    checked = {}
    for name, meaning in (labels or {}).items():
        if str(meaning).lower() not in MEANINGS:
            raise InputError(f"The label {name} is said to be {meaning!r}; give ich, ivh or ignore.")
        checked[str(name).strip().lower()] = str(meaning).lower()
    return checked


def _in_one_spelling(word: str) -> str:
    word = _SPELLINGS.get(word, word)
    if word in _KNOWN:
        return word
    return next((word.removesuffix(end) for end in ("s", "es") if word.removesuffix(end) in _KNOWN), word)


def _meaning(words, brain_parts) -> str | None:
    said = {word for word in words if word not in _SAYS_NOTHING or word in brain_parts}
    if not said or not said <= _KNOWN:
        return None
    if said & _VENTRICLE:
        said -= _BRAIN  # brain ventricle
    blood = bool(said & _BLOOD)
    counted = {"ich"} if said & _ICH or blood and said & (brain_parts | {"cerebral"}) else set()
    counted |= {"ivh"} if said & _IVH or blood and said & _VENTRICLE else set()
    if not counted:
        return IGNORE if said & _ELSEWHERE or not blood else None
    is_mixed = len(counted) > 1 or said & (_ELSEWHERE | _NO_BLOOD) or counted == {"ich"} and said & _VENTRICLE
    return None if is_mixed else counted.pop()


_KNOWN = _BLOOD | _ICH | _IVH | _VENTRICLE | _BRAIN | _BRAIN_PART | _ELSEWHERE | _NO_BLOOD
