"""The pieces of one list item, taken from left to right: each finds its place in the item."""

# ruff: noqa: E501 - word lists and patterns are easier to review unbroken
from __future__ import annotations

from dataclasses import replace

from fhirbridge.extract.criterion_numbers import Amount
from fhirbridge.extract.criterion_pieces import Piece
from fhirbridge.extract.criterion_records import MEASURES, Anchor, Item, State
from fhirbridge.extract.criterion_words import Term
from fhirbridge.records import LeafKind

__all__ = ["Reader"]


_HEADS = frozenset(
    {"treat", "stopped", "failed", "intolerant", "responded", "allergy", "planned", "required", "risk", "family", "hypothetical", "suspected"}
)  # fmt: skip


_CONCENTRATIONS = frozenset(
    {"mg/dL", "mg/L", "g/L", "g/dL", "ug/dL", "ug/L", "ug/mL", "ng/mL", "ng/dL", "pg/mL", "mmol/L", "umol/L", "nmol/L", "pmol/L"}
)  # fmt: skip
_TIME_UNITS = frozenset({"a", "mo", "wk", "d", "h"})


_TREATMENT = frozenset(
    {"therapy", "treatment", "therapies", "treatments", "therapy for", "treatment for", "treated for", "治疗", "的治疗"}
)


class Reader:
    """Takes the pieces of one item from left to right."""

    def __init__(self, item: Item, before: State) -> None:
        self.item, self.before = item, before
        self.head = before.head
        item.negated = before.negated
        self.qualifiers: list[str] = list(before.qualifiers)
        self.pending: list[str] = []  # biomarker values before their gene
        self.count: tuple[int | None, int | None] | None = None
        self.in_tail = False
        self.late_negation = False
        self.sign = ""  # a comparator that stands before its measure: ">= NYHA class 2"

    def take(self, piece: Piece) -> None:
        if piece.kind == "ignored" and piece.text == "=":
            self.sign += "="
        if self.in_tail and piece.kind not in ("admin", "weak_admin"):
            self.item.tail = (self.item.tail[0] if self.item.tail else piece.start, piece.end)
            return
        method = getattr(self, "_" + piece.kind.replace(" ", "_"), None)
        if piece.kind in _HEADS:
            self._set_head(piece)
        elif method is not None:
            method(piece)

    def _set_head(self, piece: Piece) -> None:
        kind = str(piece.value) if piece.kind in ("hypothetical",) else piece.kind
        if kind == "treat" and piece.text in _TREATMENT and (not self.item.anchors or piece.text in ("治疗", "的治疗")):
            self.item.treatment = (piece.start, piece.end)
        if piece.text == "off":
            kind = "off"
        if kind == "required" and self.item.anchors:
            self.item.tail = (piece.start, piece.end)
            self.in_tail = True
            return
        if kind == "treat" and self.head in (
            "failed",
            "stopped",
            "planned",
            "required",
            "intolerant",
            "responded",
            "risk",
        ):
            return
        if kind == "risk" and self.item.anchors:
            self.item.tail = (piece.start, piece.end)
            self.in_tail = True
            return
        if kind == "failed" and self.item.anchors:
            for anchor in self.item.anchors:
                anchor.head = (
                    "failed" if anchor.kind in (LeafKind.THERAPY, LeafKind.MEDICATION, LeafKind.LINE) else anchor.head
                )
        if kind == "allergy" and (self.item.anchors or self.item.unknown) and self.head != "allergy":
            self.item.allergy_last = True  # "对青霉素过敏": the allergen stands before
            for anchor in self.item.anchors:
                anchor.head = "allergy"
        if kind == "allergy" and any(w in piece.text for w in ("研究", "试验", "受试", "本药", "所用")):
            self.item.allergen = True
        self.head = kind
        self.item.own_head = True

    def _not(self, piece: Piece) -> None:
        if self.item.anchors:
            self.late_negation = True
        else:
            self.item.negated = True
        self.item.own_negation = True
        self.item.own_head = True

    def _nor(self, piece: Piece) -> None:
        if not self.item.anchors:
            self.item.negated = True

    def _history(self, piece: Piece) -> None:
        self._qualify("history", piece)

    def _current(self, piece: Piece) -> None:
        self._qualify("current", piece)

    def _both(self, piece: Piece) -> None:
        self.qualifiers = [q for q in self.qualifiers if q not in ("history", "current")]
        self._qualify("history", piece)

    def _qualifier(self, piece: Piece) -> None:
        value = str(piece.value)
        if value in ("inadequate", "adequate"):
            value = f"{value}:{piece.text}"
        self._qualify(value, piece)

    def _qualify(self, value: str, piece: Piece) -> None:
        self.qualifiers.append(value)
        self.item.qualifiers.append(value)

    def _term(self, piece: Piece) -> None:
        term: Term = piece.value
        anchor = Anchor(
            term.kind, term.concepts, list(term.values), piece.start, piece.end, self.head, set(self.qualifiers), self.late_negation
        )  # fmt: skip
        anchor.text = piece.text
        told = [v for v in self.pending if term.kind is LeafKind.BIOMARKER or v in ("positive", "negative")]
        if term.kind in (LeafKind.BIOMARKER, LeafKind.INFECTION):  # "confirmed positive HIV test"
            anchor.values += told
            self.pending = []
            if term.kind is LeafKind.INFECTION:
                self.item.values = [v for v in self.item.values if v not in told]
        if self.count is not None:
            anchor.count, self.count = self.count, None
        self.qualifiers = [q for q in self.qualifiers if q in ("history", "current", "known", "other")]
        self.item.anchors.append(anchor)

    def _stage(self, piece: Piece) -> None:
        values = list(piece.value) if isinstance(piece.value, tuple) else [str(piece.value)]
        anchor = Anchor(LeafKind.STAGE, (), values, piece.start, piece.end, "", set(), self.late_negation)
        self.item.anchors.append(anchor)

    def _class(self, piece: Piece) -> None:
        word, low, high = piece.value
        score = next((a for a in reversed(self.item.anchors) if a.kind is LeafKind.SCORE and a.bounds is None), None)
        if score is not None:
            score.bounds = _classed(low, high, self.sign)
            score.end = max(score.end, piece.end)
            return
        self.item.grades.append((word, low, high, piece.start, piece.end))

    def _letters(self, piece: Piece) -> None:
        score = next((a for a in reversed(self.item.anchors) if a.kind is LeafKind.SCORE), None)
        if score is not None:
            score.values += [v for v in piece.value if v not in score.values]
            score.end = max(score.end, piece.end)

    def _count(self, piece: Piece) -> None:
        self.count = piece.value

    def _amount(self, piece: Piece) -> None:
        amount: Amount = piece.value
        measure = next((a for a in reversed(self.item.anchors) if a.kind in MEASURES), None)
        if measure is not None and _tells_time(amount) and not _lasts(measure):
            measure = None  # "Karnofsky score for patients > 16 years of age"
        if measure is not None and not amount.after:
            if measure.amount is None:
                measure.amount = _signed(amount, self.sign)
            else:
                measure.extra.append(amount)
            measure.end = max(measure.end, piece.end)
        else:
            self.item.amounts.append(amount)

    def _pressure(self, piece: Piece) -> None:
        """ "> 160/100 mmHg": a leaf for each pressure; a "blood pressure" before it needs no number of its own."""
        sign, first, second = piece.value
        anchors = self.item.anchors
        if anchors and anchors[-1].kind is LeafKind.VITAL_SIGN and anchors[-1].amount is None:
            anchors.pop()
        self.item.pressures.append((sign, first, second, piece.start, piece.end))

    def _window(self, piece: Piece) -> None:
        self.item.windows.append(piece.value)
        if not self.item.anchors:
            self.item.window_first = True

    def _variant(self, piece: Piece) -> None:
        self._value(str(piece.value), piece)

    def _positive(self, piece: Piece) -> None:
        self._value("positive", piece)

    def _negative(self, piece: Piece) -> None:
        self._value("negative", piece)

    def _plus(self, piece: Piece) -> None:
        last = self.item.anchors[-1] if self.item.anchors else None
        if last is not None and last.kind in (LeafKind.BIOMARKER, LeafKind.INFECTION) and piece.start <= last.end + 1:
            self._value("positive", piece)

    def _value(self, value: str, piece: Piece) -> None:
        last = self.item.anchors[-1] if self.item.anchors else None
        if last is not None and last.kind in (
            LeafKind.BIOMARKER,
            LeafKind.INFECTION,
            LeafKind.LABORATORY,
            LeafKind.PREGNANCY,
        ):
            last.values.append(value)
            last.end = max(last.end, piece.end)
        else:
            self.pending.append(value)
            self.item.values.append(value)

    def _mark(self, piece: Piece) -> None:
        last = self.item.anchors[-1] if self.item.anchors else None
        if piece.text in _SIGNS:
            self.sign += piece.text
        if (
            piece.text == "-"
            and last is not None
            and last.kind is LeafKind.BIOMARKER
            and piece.start == last.end
            and not last.values
        ):
            self.item.values.append("-")

    def _women(self, piece: Piece) -> None:
        self._set_sex("female")

    def _men(self, piece: Piece) -> None:
        self._set_sex("male")

    def _set_sex(self, sex: str) -> None:
        self.item.sex = sex
        self.item.sex_first = not self.item.anchors and not self.item.amounts

    def _sexes(self, piece: Piece) -> None:
        self.item.sex = "any"

    def _healthy(self, piece: Piece) -> None:
        anchor = Anchor(LeafKind.HEALTHY, (), [], piece.start, piece.end, "", set(), self.late_negation)
        self.item.anchors.append(anchor)

    def _age(self, piece: Piece) -> None:
        self.item.age = True

    def _admin(self, piece: Piece) -> None:
        self.item.admin = self.item.admin or str(piece.value)

    def _weak_admin(self, piece: Piece) -> None:
        self.item.opinion = self.item.opinion or str(piece.value)
        if piece.value == "unsuitable":
            self.item.opinion = "unsuitable"

    def _allergen(self, piece: Piece) -> None:
        self.item.allergen = True
        if self.head != "allergy":
            self.item.study_drug = self.item.study_drug or any(
                w in piece.text for w in ("study", "investigational", "试验", "研究")
            )
            if not self.item.study_drug and len(piece.text) > 2:
                self.item.unknown.append(piece)

    def _cond_tail(self, piece: Piece) -> None:
        if self.item.anchors or self.item.unknown:
            self.item.tail = (piece.start, piece.end)
            self.in_tail = True

    def _group(self, piece: Piece) -> None:
        """ "CHADS2 score (≥ 2)": a lone number in brackets is the value of a measure that has none yet."""
        inner = [p for p in piece.value if p.kind not in ("ignored", "mark")]
        last = self.item.anchors[-1] if self.item.anchors else None
        if (
            last is not None
            and last.kind in MEASURES
            and last.amount is None
            and last.bounds is None
            and len(inner) == 1
        ):
            if inner[0].kind == "amount":
                self._amount(inner[0])
                return
            if inner[0].kind in ("class", "letters"):
                (self._class if inner[0].kind == "class" else self._letters)(inner[0])
                return
        self.item.groups.append(piece)

    def _word(self, piece: Piece) -> None:
        self.item.unknown.append(piece)

    _anatomy = _organism = _social = _word

    def finish(self) -> None:
        item = self.item
        item.head = self.head
        if self.count is not None and item.anchors:
            target = next(
                (
                    a
                    for a in item.anchors
                    if a.kind in (LeafKind.LINE, LeafKind.THERAPY, LeafKind.MEDICATION) and a.count is None
                ),
                None,
            )
            if target is not None:
                target.count, self.count = self.count, None
        item.count = self.count
        self._place_qualifiers()
        self._place_amounts()
        negated = item.negated and not (item.admin or (item.opinion and not item.anchors))
        kept = {q for q in item.qualifiers if q in _CARRIED} | (set() if item.own_head else set(self.before.qualifiers))
        item.state = State(self.head, negated, frozenset(kept))

    def _place_qualifiers(self) -> None:
        """Qualifiers after the last anchor belong to it: "hypertension, uncontrolled"."""
        placed = set().union(*(a.qualifiers for a in self.item.anchors)) if self.item.anchors else set()
        late = [q for q in self.item.qualifiers if q not in placed]
        if late and self.item.anchors:
            self.item.anchors[-1].qualifiers.update(late)

    def _is_level(self, amount: Amount) -> bool:
        """ "DHEA-S level > 20 mg/dL": what has a concentration is measured, not taken."""
        bound = amount.high or amount.low
        last = self.item.anchors[-1] if self.item.anchors else None
        return (
            bound is not None
            and bound.quantity.ucum in _CONCENTRATIONS
            and last is not None
            and last.kind is LeafKind.MEDICATION
        )

    def _place_amounts(self) -> None:
        """Amounts before their measure ("≥ 18 years of age" stays; "< 40 mL/min creatinine clearance" moves)."""
        left = []
        for amount in self.item.amounts:
            measure = next(
                (a for a in self.item.anchors if a.kind in MEASURES and a.amount is None and a.bounds is None), None
            )
            unit = amount.high or amount.low
            time = unit is not None and unit.quantity.ucum in _TIME_UNITS
            pregnancy_age = measure is not None and measure.concepts[0].name == "Gestational age"
            glued = amount.bare and not amount.unit  # "3体重指数": the number of the criterion, not of the measure
            if measure is not None and not glued and (not time or pregnancy_age):
                measure.amount = amount
                measure.start = min(measure.start, amount.start)
            elif measure is None and self._is_level(amount):
                self.item.anchors[-1].kind, self.item.anchors[-1].amount = LeafKind.LABORATORY, amount
            else:
                left.append(amount)
        self.item.amounts = left


_SIGNS = frozenset("<>=≤≥")


def _signed(amount: Amount, sign: str) -> Amount:
    """A bare number with the comparator that stood before its measure."""
    if not amount.bare or len(amount.numbers) != 1 or not set(sign) & set("<>≤≥"):
        return amount
    inclusive = "=" in sign or "≥" in sign or "≤" in sign
    bound = amount.low or amount.high
    kept = None if bound is None else replace(bound, inclusive=inclusive)
    above = ">" in sign or "≥" in sign
    return replace(amount, low=kept if above else None, high=None if above else kept, bare=False)


def _classed(low: int | None, high: int | None, sign: str) -> tuple[int | None, int | None]:
    """A class with the comparator that stood before its scale ("> NYHA II")."""
    if low is None or low != high or not set(sign) & set("<>≤≥"):
        return low, high
    beyond = 0 if set(sign) & set("=≤≥") else 1
    return (low + beyond, None) if set(sign) & set(">≥") else (None, low - beyond)


def _tells_time(amount: Amount) -> bool:
    bound = amount.low or amount.high
    return bound is not None and bound.quantity.ucum in ("a", "mo", "wk")


def _lasts(measure: Anchor) -> bool:
    """Whether a measure is one of time itself ("gestational age", "survival")."""
    name = measure.concepts[0].name.lower()
    return any(word in name for word in ("age", "survival", "duration", "interval", "time", "expectancy"))


_CARRIED = frozenset({"history", "current", "active", "uncontrolled", "severe", "significant", "known", "symptomatic", "unstable",
                      "chronic", "acute", "recent", "other", "untreated"})  # fmt: skip
