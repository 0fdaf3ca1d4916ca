"""What kind of thing a leaf asks about, as a code: `Group.characteristic.code` where the leaf has no code of its own.

SNOMED CT codes are of the Global Patient Set, LOINC codes of the LOINC table; tests/fhir check each against them.
"""

from __future__ import annotations

from fhirbridge.records import Coding, LeafKind

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"

_FINDING = Coding(SNOMED, "404684003", "Clinical finding")
_DISEASE = Coding(SNOMED, "64572001", "Disease")
_PROCEDURE = Coding(SNOMED, "71388002", "Procedure")

KINDS: dict[LeafKind, Coding] = {
    LeafKind.AGE: Coding(LOINC, "30525-0", "Age"),
    LeafKind.SEX: Coding(LOINC, "46098-0", "Sex"),
    LeafKind.DIAGNOSIS: _DISEASE,
    LeafKind.SYMPTOM: _FINDING,
    LeafKind.STAGE: Coding(SNOMED, "385356007", "Tumor stage finding"),
    LeafKind.GRADE: Coding(LOINC, "33732-9", "Histology grade"),
    LeafKind.HISTOLOGY: _DISEASE,
    LeafKind.THERAPY: _PROCEDURE,
    LeafKind.PROCEDURE: _PROCEDURE,
    LeafKind.MEDICATION: Coding(LOINC, "18651-0", "Medication administered"),
    LeafKind.ALCOHOL: Coding(LOINC, "11331-6", "Alcohol use"),
    LeafKind.PREGNANCY: Coding(SNOMED, "77386006", "Pregnant"),
    LeafKind.SMOKING: Coding(LOINC, "72166-2", "Tobacco smoking status"),
    LeafKind.METASTASIS: Coding(SNOMED, "128462008", "Secondary malignant neoplastic disease"),
    LeafKind.INFECTION: Coding(SNOMED, "40733004", "Infectious disease"),
    LeafKind.ALLERGY: Coding(SNOMED, "419199007", "Allergy to substance"),
    LeafKind.ORGAN_FUNCTION: _FINDING,
}


def kind_code(kind: LeafKind) -> Coding | None:
    """The code of a kind, None where no free terminology has one."""
    return KINDS.get(kind)
