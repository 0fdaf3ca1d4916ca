"""A Chinese ICD-10 table the user brings (国家临床版, 国标版 or a hospital's own export): CSV, TSV or XLSX."""

from __future__ import annotations

from pathlib import Path

from fhirbridge.terminology import _codes, _tables

_CODE = ("主要编码", "疾病编码", "诊断编码", "icd编码", "icd-10编码", "编码", "代码", "icd10", "icd", "code")
_NAME = ("疾病名称", "诊断名称", "疾病诊断名称", "名称", "诊断", "name")
_WORDS = ("别名", "同义词", "synonym")


def create(path: Path) -> _codes.Codes:
    """The codes with their Chinese names. Extensions (I10.x00x002) stay in the code as they are printed."""
    path = Path(path)
    rows = _codes.table(path)
    code, name = _codes.column(rows, _CODE, path), _codes.column(rows, _NAME, path)
    words = _codes.column(rows, _WORDS, path, required=False)
    records = _codes.named(
        (
            (row[code], spoken, place == 0)
            for row in rows
            if row.get(code) and row.get(name)
            for place, spoken in enumerate((row[name], *filter(None, row.get(words, "").replace("；", ";").split(";"))))
        ),
        lambda printed: "symptom" if printed.upper().startswith("R") else "condition",
    )
    return _codes.Codes("icd10_cn", _tables.SYSTEMS["icd10"], _codes.checked(records, path, "codes"))
