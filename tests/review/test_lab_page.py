"""The review page of a lab report: doubts first, text escaped, nothing fetched, boxes where the rows stand."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from fhirbridge.review import lab_page


def bundle(*rows: dict[str, Any], media: str = "image/png") -> dict[str, Any]:
    attachment = {"contentType": media, "data": base64.b64encode(b"picture").decode()}
    document = {"resourceType": "DocumentReference", "content": [{"attachment": attachment}]}
    return {"resourceType": "Bundle", "entry": [{"resource": r} for r in (document, *rows)]}


def row(name: str, value: str, status: str = "final", note: str = "") -> dict[str, Any]:
    path = "DocumentReference.content[0].attachment.data#xywh=pixel:10,20,300,24"
    out: dict[str, Any] = {
        "resourceType": "Observation",
        "status": status,
        "code": {"text": name},
        "valueCodeableConcept": {"text": value},
        "extension": [{"url": "x", "extension": [{"url": "path", "valueString": path}]}],
    }
    return out | ({"note": [{"text": note}]} if note else {})


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def tags(html: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(html)
    return parser.seen


def test_doubtful_rows_come_first_with_their_reason_in_the_pages_language() -> None:
    doubted = row("葡萄糖", "61", "preliminary", "to check: no patient has such a value")
    html = lab_page.page(bundle(row("尿素", "5.1"), doubted))
    assert html.index("葡萄糖") < html.index("尿素")
    assert "不可能的数值" in html
    assert 'lang="zh"' in html


def test_text_of_the_report_cannot_become_markup() -> None:
    html = lab_page.page(bundle(row("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>')), language="en")
    assert [tag for tag, _ in tags(html)].count("script") == 1
    assert not [attrs for _, attrs in tags(html) if "onerror" in attrs]


def test_nothing_is_fetched_from_anywhere() -> None:
    html = lab_page.page(bundle(row("ALT", "30")), language="en")
    links = [v for _, attrs in tags(html) for k, v in attrs.items() if k in {"src", "href", "action"}]
    assert links and all(str(link).startswith("data:") for link in links)
    assert "default-src &#x27;none&#x27;" in html
    assert not re.search(r"https?://|url\(", html)


def test_each_row_has_its_box_on_the_picture() -> None:
    html = lab_page.page(bundle(row("ALT", "30")), language="en")
    rect = next(attrs for tag, attrs in tags(html) if tag == "rect")
    assert (rect["x"], rect["y"], rect["width"], rect["height"]) == ("10", "20", "300", "24")
    assert next(attrs for _, attrs in tags(html) if attrs.get("id") == "r0")["data-box"] == "10,20,300,24"


@pytest.mark.parametrize(("media", "needed"), [("image/jpeg", False), ("application/pdf", True), ("image/heic", True)])
def test_files_that_browsers_do_not_show_need_pictures(media: str, needed: bool) -> None:
    assert lab_page.needs_pictures(bundle(media=media)) is needed


def test_a_report_without_rows_says_so() -> None:
    assert "No row was read." in lab_page.page(bundle(), language="en")
