"""The legend to the map: every record that passes between two stages.

A photo is a `Page` of `Word`s, then `LabResult`s in a `LabReport`; a conversation is a `Transcript` of `Turn`s, then
`Fact`s; a trial record is a `Trial`, then `Criterion`s, each with a tree of `Leaf`s. All are frozen: a stage is a
function from records to records. Enum values are the FHIR codes where FHIR has one.
"""

from __future__ import annotations

from fhirbridge.records.labs import LabHeader, LabReport, LabResult, Page, Picture, Word
from fhirbridge.records.patients import Item, ItemKind, Patient, When
from fhirbridge.records.talks import Body, Dosage, Fact, FactKind, Speaker, Status, Transcript, Turn
from fhirbridge.records.trials import (
    All,
    Any,
    AtLeast,
    Bound,
    Criterion,
    If,
    Leaf,
    LeafKind,
    Node,
    Not,
    Trial,
    Understanding,
    Window,
    leaves,
)
from fhirbridge.records.values import Box, Coding, Concept, LeftOut, Quantity, Span, Truth

__all__ = [
    "All",
    "Any",
    "AtLeast",
    "Body",
    "Bound",
    "Box",
    "Coding",
    "Concept",
    "Criterion",
    "Dosage",
    "Fact",
    "FactKind",
    "If",
    "Item",
    "ItemKind",
    "LabHeader",
    "LabReport",
    "LabResult",
    "Leaf",
    "LeafKind",
    "LeftOut",
    "Node",
    "Not",
    "Page",
    "Patient",
    "Picture",
    "Quantity",
    "Span",
    "Speaker",
    "Status",
    "Transcript",
    "Trial",
    "Truth",
    "Turn",
    "Understanding",
    "When",
    "Window",
    "Word",
    "leaves",
]
