#!/usr/bin/env python3
"""Make the derived tables of fhirbridge/terminology/data from the terminology sources.

usage: build_lexicon.py SOURCES      (SOURCES: the folder with snomed-gps.tsv.gz, icd10cm-*.gz, hpo-terms.json.gz ...)

Writes icd10cm.tsv.gz and snomed.tsv.gz (every code with its name), displays.tsv.gz (those that concepts.tsv uses) and
lexicon.gz (the compiled lexicon: the everyday concepts and the names of whole terminologies; those that share a
name are one concept). Run it after a change to concepts.tsv, languages/*/synonyms.tsv or the folding.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from fhirbridge import languages  # noqa: E402
from fhirbridge.terminology import _compiled, _folding, _tables, lexicon  # noqa: E402

DATA = ROOT / "fhirbridge" / "terminology" / "data"
KIND_OF_TAG = {
    "disorder": "condition", "finding": "finding", "procedure": "procedure", "regime/therapy": "procedure",
    "organism": "organism", "body structure": "anatomy", "morphologic abnormality": "finding",
    "substance": "medication", "medicinal product": "medication", "product": "medication",
    "medicinal product form": "medication", "clinical drug": "medication", "assessment scale": "score",
}  # fmt: skip
IGNORED = set((ROOT / "tools" / "lexicon_ignored_names.txt").read_text(encoding="utf-8").split("\n"))
RANK = {"icd": 0, "gps": 1, "hpo": 2, "symp": 3, "mesh": 4, "drug": 5, "incl": 6}


@dataclass
class Item:
    """One concept of one source: its names, the first the preferred one."""

    source: str
    kind: str
    names: list[str]
    code: str = ""  # "I:I10", "S:38341003", "H:HP:0000822"
    display: str = ""
    keys: list[str] = field(default_factory=list)


def unpacked(path: Path) -> str:
    """The text of a gzip file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return lines.read()


def write(name: str, lines: list[str]) -> None:
    """A gzip file that is the same for the same lines."""
    with (DATA / name).open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="") as packed:
        packed.write("\n".join(lines).encode())
    print(f"{name}: {len(lines)} lines, {(DATA / name).stat().st_size / 1e6:.2f} MB")


def icd10cm(folder: Path) -> tuple[dict[str, str], list[Item]]:
    """Every code with its description, and the items: descriptions and inclusion terms."""
    root = ElementTree.fromstring(unpacked(folder / "icd10cm-tabular-2026-04.xml.gz"))
    shown: dict[str, str] = {}
    items: list[Item] = []
    for diag in root.iter("diag"):
        code, desc = diag.findtext("name") or "", diag.findtext("desc") or ""
        shown[code] = desc
        bare = re.sub(r"\s*\([^)]*\)", "", desc)
        plain = re.sub(r",? unspecified$", "", bare)
        leaf = diag.find("diag") is None
        if code[0] in "VWXY" or (code[0] in "ST" and (len(code) > 6 or re.search("left|right", desc))):
            continue
        items.append(Item("icd", _icd_kind(code), list(dict.fromkeys([plain, bare])), f"I:{code}", desc))
        items[-1].keys.append("leaf" if leaf else "")
        for note in [n.text or "" for n in diag.findall("inclusionTerm/note") + diag.findall("includes/note")]:
            term = re.sub(r"\s*\([^)]*\)|\s*\[[^]]*\]|,? NOS$|,? unspecified$", "", note).strip()
            if term and not re.search(r"\bany\b|code|classif|[A-Z]\d\d|\d{4,}|conditions", term):
                items.append(Item("incl", _icd_kind(code), [term], f"I:{code}", desc))
    return shown, items


def first_encounters(folder: Path, shown: dict[str, str]) -> dict[str, str]:
    """The codes for a first encounter (seventh character A), which the tabular list does not spell out."""
    found = {}
    for bare in unpacked(folder / "icd10cm-codes-2026-04.txt.gz").split():
        code = f"{bare[:3]}.{bare[3:]}" if len(bare) > 3 and "-" not in bare else bare
        stem = code[:-1].rstrip("X")
        if len(bare) == 7 and bare[-1] == "A" and code not in shown and (stem.rstrip(".") in shown):
            found[code] = f"{shown[stem.rstrip('.')]}, initial encounter"
    return found


def _icd_kind(code: str) -> str:
    return "symptom" if code[0] == "R" else "finding" if code[0] == "Z" else "condition"


def gps(folder: Path) -> tuple[dict[str, str], list[Item]]:
    """Every SNOMED GPS code with its fully specified name, and the items."""
    shown: dict[str, str] = {}
    items: list[Item] = []
    for line in unpacked(folder / "snomed-gps.tsv.gz").splitlines():
        code, _, fsn = line.rstrip("\n").partition("\t")
        match = re.fullmatch(r"(.*) \(([^()]*)\)", fsn.strip())
        if not code.isdigit() or not match:
            continue
        shown[code] = fsn.strip()
        name, tag = match.groups()
        if tag in KIND_OF_TAG:
            names = [name]
            if tag == "body structure":
                names = [re.sub(r"^(Entire|Structure of) | structure$|( structure)(?= of )", "", name), name]
            if "OR" in name.split() or "AND/OR" in name.split():
                names = names[:1] if "OR" not in name.split() else [name]
            names += [re.sub(r"^Product containing (precisely |only )?", "", n) for n in names if "Product cont" in n]
            names += [re.sub(r" caused by | due to ", " from ", n) for n in names if re.search("caused by|due to", n)]
            items.append(Item("gps", KIND_OF_TAG[tag], list(dict.fromkeys(names)), f"S:{code}", name))
    return shown, items


def hpo(folder: Path) -> list[Item]:
    """Phenotype terms with their synonyms."""
    terms = json.loads(unpacked(folder / "hpo-terms.json.gz"))
    return [Item("hpo", "finding", [t["name"], *t["syn"]], f"H:{t['id']}", t["name"]) for t in terms if t["phen"]]


def symp(folder: Path) -> list[Item]:
    """Symptoms with their exact synonyms."""
    items = []
    for block in (folder / "symp.obo").read_text(encoding="utf-8").split("[Term]")[1:]:
        name = re.search(r"^name: (.+)$", block, re.M)
        if name and "is_obsolete: true" not in block and not re.search(r"\bsymptom$|^obsolete", name[1]):
            items.append(Item("symp", "symptom", [name[1], *re.findall(r'^synonym: "(.+?)" EXACT', block, re.M)]))
    return items


def mesh(folder: Path) -> list[Item]:
    """Disease names with their variants, inverted ones left out."""
    data = json.loads(unpacked(folder / "mesh-diseases.json.gz"))
    variants: dict[str, list[str]] = defaultdict(list)
    for variant, canonical in data["disease_variant_to_canonical"].items():
        for name in canonical if "," not in variant else ():
            variants[name].append(variant)
    items = []
    for name, names in sorted(variants.items()):
        about = data["disease_canonical_to_data"].get(name, {})
        if not any(t.startswith(("C", "F03")) for t in about.get("mesh_tree", ())):
            continue
        shown = about.get("name", name)
        straight = " ".join(reversed(shown.split(", "))) if shown.count(", ") == 1 else shown
        items.append(Item("mesh", "condition", [straight, *names]))
    return items


def drugs(folder: Path) -> list[Item]:
    """Medicines that a drug compendium lists, with salts and brand names in Latin letters."""
    data = json.loads(unpacked(folder / "drug-names.json.gz"))
    variants: dict[str, list[str]] = defaultdict(list)
    for variant, canonical in data["drug_variant_to_canonical"].items():
        for name in canonical if "," not in variant else ():
            variants[name].append(variant)
    items = []
    for name, about in sorted(data["drug_canonical_to_data"].items()):
        known = {"drugbank_id", "medline_plus_id", "nhs_url"} & set(about)
        if not known or "," in name or not re.fullmatch(r"[a-z][a-z0-9 \-]{3,}", name):
            continue
        names = [v for v in variants.get(name, []) if re.fullmatch(r"[a-z][a-z0-9 \-]{3,30}", v)]
        items.append(Item("drug", "medication", [name, *names]))
    return items


class Groups:
    """Union-find over item numbers."""

    def __init__(self, count: int) -> None:
        self.parent = list(range(count))

    def top(self, number: int) -> int:
        """The number that stands for the group of `number`."""
        while self.parent[number] != number:
            self.parent[number] = self.parent[self.parent[number]]
            number = self.parent[number]
        return number

    def join(self, one: int, other: int) -> None:
        """Make two groups one."""
        one, other = self.top(one), self.top(other)
        self.parent[max(one, other)] = min(one, other)


def usable(key: str, source: str) -> bool:
    """Whether a folded name is worth looking for in text."""
    words = key.split()
    long_enough = len(key) >= 4 or (source != "drug" and len(key) == 3)
    return long_enough and len(words) <= 8 and not key.replace(" ", "").isdigit() and key not in IGNORED


QUALIFIED = re.compile(
    r"^(?:mild|moderate|severe|no|not|other|left|right|both|bilateral|unilateral|chronic|acute|history of"
    r"|family history(?: of)?|low dose|old|recent|recurrent|persistent|increasing|worsening|screening|diagnosis of"
    r"|finding of|complaining of|symptom of) (.+)$"
)


def plain(made: list[tuple[str, str, list[str]]], everyday: lexicon.Lexicon) -> list[tuple[str, str, list[str]]]:
    """Without names that are another name with a word of degree, side, denial or history before it.

    Those words are read by who reads the text: "severe headache" is a headache, and severe. A disease that has a code
    of its own with such a word ("acute pancreatitis" beside "pancreatitis") is kept.
    """
    known = {key for _, _, keys in made for key in keys} | set(everyday._names.latin)
    kept = []
    for key, head, keys in made:
        coded = "I:" in head or not head
        stays = []
        for name in keys:
            match = QUALIFIED.match(name)
            disease = coded and match and name.split()[0] in ("chronic", "acute", "recurrent", "persistent", "old")
            if not match or match[1] not in known or disease:
                stays.append(name)
        if stays:
            kept.append((key, head, stays))
    return kept


def group(items: list[Item]) -> list[list[Item]]:
    """Items that share their preferred name with a name of another are one concept."""
    first: dict[str, int] = {}
    groups = Groups(len(items))
    medicines = {_folding.phrase(n) for i in items if i.source == "drug" for n in i.names}
    items = [
        i for i in items if i.source != "gps" or i.kind != "medication" or _folding.phrase(i.names[0]) in medicines
    ]
    clash = {
        ("medication", "condition"),
        ("medication", "anatomy"),
        ("organism", "condition"),
        ("anatomy", "condition"),
    }
    for number, item in enumerate(items):
        for name in item.names:
            key = _folding.phrase(name)
            other = first.setdefault(key, number)
            kinds = tuple(sorted((items[other].kind, item.kind)))
            if other != number and kinds not in clash and item.source != "incl":
                groups.join(other, number)
    found: dict[int, list[Item]] = defaultdict(list)
    for number, item in enumerate(items):
        found[groups.top(number)].append(item)
    return list(found.values())


def row(members: list[Item], everyday: lexicon.Lexicon) -> tuple[str, str, list[str]] | None:
    """(key, head columns, folded names) of a concept; the key of an everyday concept when it has one of its names."""
    members = sorted(members, key=lambda m: RANK[m.source])
    names = list(dict.fromkeys(n for m in members for n in m.names))
    keys = []
    for member in members:
        for name in member.names:
            for key in _folding.variants(name):
                if usable(key, member.source):
                    keys.append(f"={key}" if _folding.capitals(name) and len(key) < 4 else key)
    keys = list(dict.fromkeys(keys))
    if not keys:
        return None
    for member in members:
        known = everyday.find(member.names[0])
        if known is not None:
            return known.key, "", keys
    codes, displays = _codes(members)
    best = min(members, key=lambda m: ({"gps": 0, "mesh": 1, "hpo": 2}.get(m.source, 3), len(m.names[0])))
    name = best.names[0]
    kinds = Counter(m.kind for m in members)
    kind = "symptom" if kinds["symptom"] else "condition" if kinds["condition"] else members[0].kind
    return names[0].lower(), "\t".join([kind, name, "", ";".join(codes), "|".join(displays)]), keys


def _codes(members: list[Item]) -> tuple[list[str], list[str]]:
    codes, displays = [], []
    for system in ("I", "S", "H"):
        carrying = [m for m in members if m.code.startswith(system)]
        carrying.sort(key=lambda m: (RANK[m.source], m.keys != ["leaf"], m.code))
        if carrying:
            codes.append(carrying[0].code)
            displays.append(carrying[0].display)
    return codes, displays


def loinc_names(folder: Path) -> dict[str, str]:
    """LOINC codes with the long common name where a terminology server gave it, else the component."""
    names = dict(line.split(",", 1) for line in unpacked(folder / "loinc-core.csv.gz").splitlines())
    served = re.findall(r'"code" : "(\d+-\d)",\s+"display" : "([^"]+)"', unpacked(folder / "utg-loinc.cache.gz"))
    return {code: name.strip('"') for code, name in (names | dict(served)).items()}


def main(folder: Path) -> None:
    """Write the tables."""
    icd_shown, icd_items = icd10cm(folder)
    icd_shown |= first_encounters(folder, icd_shown)
    gps_shown, gps_items = gps(folder)
    write("icd10cm.tsv.gz", [f"{c}\t{n}" for c, n in sorted(icd_shown.items())])
    write("snomed.tsv.gz", [f"{c}\t{n}" for c, n in sorted(gps_shown.items())])
    used = {(s, c) for r in _tables.rows("concepts.tsv") for s in ("icd10cm", "snomed", "loinc")
            for c in (r.get(s) or "").split(";") if c}  # fmt: skip
    loinc = loinc_names(folder)
    shown = {"icd10cm": icd_shown, "snomed": {c: n.rpartition(" (")[0] for c, n in gps_shown.items()}, "loinc": loinc}
    unknown = sorted(pair for pair in used if pair[1] not in shown[pair[0]])
    if unknown:
        print("UNKNOWN CODES:", unknown)
    write("displays.tsv.gz", [f"{s}\t{c}\t{shown[s][c]}" for s, c in sorted(used - set(unknown))])
    everyday = lexicon.Lexicon()
    _tables._displays.cache_clear()
    lexicon.add_concepts(everyday)
    items = icd_items + gps_items + hpo(folder) + symp(folder) + mesh(folder) + drugs(folder)
    made = sorted(filter(None, (row(members, everyday) for members in group(items))), key=lambda m: m[0])
    made = plain(made, everyday)
    numbers = dict(everyday._keys)
    rows = [lexicon.row_of(entry) for entry in everyday._rows if isinstance(entry, lexicon.Entry)]
    for key, head, folded in made:
        if key not in numbers:
            numbers[key] = len(rows)
            rows.append(f"{key}\t{head}")
        for phrase in folded:
            everyday._names.add_folded(phrase, numbers[key])
    write("lexicon.gz", _compiled.write(rows, everyday._names).split("\n"))
    print(len(numbers), "entries,", len(everyday._names.latin), "Latin names,", len(everyday._names.chinese), "Chinese")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    print("languages:", ", ".join(languages.names()))
