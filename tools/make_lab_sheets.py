#!/usr/bin/env python3
"""Flat laboratory reports in many layouts, with their truth, drawn from `fixtures/lab_panels.tsv`.

    python tools/make_lab_sheets.py OUT_DIR [--count 36] [--seed 1]

Writes OUT_DIR/<id>.png beside <id>.json (the format that `eval/score_labs.py` reads). Every layout of a language comes
in turn, each with another panel, font, size, unit and range spelling. `tools/make_lab_photos.py` makes photos of them.
Needs Chromium (the program `chromium`), which sets the type; nothing else does.
"""

from __future__ import annotations

import argparse
import csv
import html
import json
import random
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import lab_layouts
from lab_layouts import Layout, Row

PANELS = Path(__file__).resolve().parent.parent / "fixtures" / "lab_panels.tsv"
FONTS = {
    "zh": ("Noto Sans CJK SC", "Noto Serif CJK SC", "Droid Sans Fallback"),
    "en": ("Liberation Sans", "Liberation Serif", "DejaVu Sans Condensed", "Liberation Mono", "Nimbus Sans Narrow"),
}
COUNTS = {
    "10^9/L": ("10^9/L", "×10⁹/L", "10*9/L", "x10^9/L", "10<sup>9</sup>/L"),
    "10^12/L": ("10^12/L", "×10¹²/L", "10*12/L", "x10^12/L", "10<sup>12</sup>/L"),
    "thou/mm3": ("thou/mm3", "10^3/uL", "K/uL", "x10E3/uL", "10<sup>9</sup>/L"),
    "mill/mm3": ("mill/mm3", "10^6/uL", "M/uL", "x10E6/uL", "10<sup>12</sup>/L"),
}


# ------------------------------------------------------------------------------------------------------------- panels


def panels(language: str) -> dict[str, list[Row]]:
    """The rows of each panel of a language, as the table of panels has them."""
    with PANELS.open(encoding="utf-8") as file:
        lines = (line for line in file if not line.startswith("#"))
        found: dict[str, list[Row]] = {}
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["language"] == language:
                found.setdefault(row["panel"], []).append(row)
    return found


def drawn(panel: Sequence[Row], rng: random.Random) -> list[Row]:
    """One patient's results for a panel: value, flag and the range in one of its spellings."""
    dash = rng.choice(("-", "--", "~", "～", " - ", "—") if panel[0]["language"] == "zh" else ("-", " - ", "–"))
    way = rng.randrange(5)
    rows = [_result(row, dash, rng) for row in panel]
    for row in rows:
        row["unit"] = COUNTS.get(row["unit"], (row["unit"],) * 5)[way]
    return rows


def _result(row: Row, dash: str, rng: random.Random) -> Row:
    made = {**row, "low": "", "high": "", "flag": "", "ref": row["range"]}
    if not row["values"].isdigit():
        made["value"] = rng.choice(row["values"].split("|"))
        return made
    digits = int(row["values"])
    two = re.fullmatch(r"([\d.]+)-([\d.]+)", row["range"])
    one = re.fullmatch(r"([<>])([\d.]+)", row["range"])
    ends = [float(two[1]), float(two[2])] if two else [0.0, float(one[2])] if one else [1.0, 9.0]
    if one and one[1] == ">":
        ends = [float(one[2]), 1.8 * float(one[2])]
    wide = ends[1] - ends[0]
    number = (
        rng.uniform(*ends)
        if rng.random() < 0.7
        else rng.choice((ends[1] + wide * rng.uniform(0.05, 0.9), max(ends[0] * 0.6, ends[0] - wide * 0.4)))
    )
    made["value"] = f"{number:.{digits}f}"
    if two:
        made |= {"low": two[1], "high": two[2], "ref": f"{two[1]}{dash}{two[2]}"}
    elif one:
        made["low" if one[1] == ">" else "high"] = one[2]
        made["ref"] = one[0].replace("<", rng.choice("<≤")) if dash == "～" else one[0]
    shown = float(made["value"])
    low, high = bool(made["low"]) and shown < float(made["low"]), bool(made["high"]) and shown > float(made["high"])
    made["flag"] = "L" if low else "H" if high else ""
    return made


# -------------------------------------------------------------------------------------------------------------- sheet

CSS = """*{box-sizing:border-box}
body{margin:0;padding:36px 44px;background:#fff;color:#151515;line-height:1.25}
h1{font-size:1.5em;text-align:center;margin:0 0 8px}
table{border-collapse:collapse;width:100%}
td,th{padding:var(--p) 6px;text-align:left;white-space:nowrap;font-weight:normal;vertical-align:top}
th{font-weight:bold}
.grid td,.grid th{border:1px solid #444}
.rules{border-top:2px solid #000;border-bottom:2px solid #000}
.rules th{border-bottom:1px solid #000}
.zebra tr:nth-child(even) td{background:#e3edf7}
.zebra th{background:#3a6ea5;color:#fff}
.tight td,.tight th{padding-left:3px;padding-right:3px}
.two{display:flex;gap:10px;border-top:2px solid #000;border-bottom:2px solid #000}
.two>div{flex:1}
.two>div:first-child{border-right:1px solid #000}
.strip td{padding-right:2px}
.mono td{padding-top:1px;padding-bottom:1px}
.head{display:grid;grid-template-columns:repeat(4,auto);gap:3px 16px;margin:6px 0 8px}
.dots{overflow:hidden;width:22em}
.dots:after{content:" . . . . . . . . . . . . . . . . . . . . . . ."}
.stamp{position:absolute;right:120px;bottom:60px;width:150px;height:150px;border:4px solid #c22;
border-radius:50%;color:#c22;text-align:center;padding-top:48px;opacity:.45;transform:rotate(-14deg)}
.foot{display:flex;justify-content:space-between;margin-top:10px}
.mark{position:absolute;left:20%;top:45%;font-size:5em;color:#000;opacity:.06;transform:rotate(-25deg)}"""
WORDS = {
    "zh": (
        "江畔市人民医院检验报告单",
        "姓名：周明|性别：{s}|年龄：{a}岁|样本号：{n}|科室：{d}|床号：12|标本种类：{m}|临床诊断：待查"
        "|送检医生：李华|采样时间：2026-03-1{x} 08:2{x}",
        ["检验者：王芳", "审核者：刘强", "报告时间：2026-03-1{x} 11:4{x}"],
        "注：本报告仅对所检标本负责，如有疑问请于24小时内联系检验科，电话：0571-8888666{x}",
        ("男", "女"),
    ),
    "en": (
        "RIVERSIDE REGIONAL LABORATORY",
        "Patient Name: DOE, ALEX|Sex: {s}|Age: {a} Years|Accession: {n}|Ref By: Dr. A. Smith|Specimen: {m}"
        "|Collected: 03/1{x}/2026 08:2{x}|Reported: 03/1{x}/2026 15:0{x}",
        ["Verified by: J. Miller MD", "Page 1 of 1", "Printed 03/1{x}/2026"],
        "*** End of report *** Results relate only to the sample tested. Tel 555-010{x}",
        ("Male", "Female"),
    ),
}  # fmt: skip


def page(rows: Sequence[Row], layout: Layout, language: str, rng: random.Random) -> str:
    """The sheet as HTML."""
    title, fields, foot, note, sexes = WORDS[language]
    words = {
        "s": rng.choice(sexes),
        "a": rng.randint(19, 88),
        "n": rng.randint(10**6, 10**8),
        "d": "内科",
        "m": rows[0]["specimen"],
        "x": rng.randint(0, 9),
    }
    narrow = layout in lab_layouts.STRIPS
    size = rng.randint(15, 17) if layout in lab_layouts.NARROW else rng.randint(17, 22)
    font, pad, wide = rng.choice(FONTS[language]), rng.choice((1, 3, 6)), 560 if narrow else 1180
    look = f"font-family:'{font}','Noto Sans CJK SC';font-size:{size}px;--p:{pad}px;width:{wide}px"
    body = [
        f"<h1>{title}</h1>",
        '<div class="head">',
        *(f"<div>{f.format(**words)}</div>" for f in fields.split("|")),
        "</div>",
    ]
    body += [] if narrow or rng.random() < 0.4 else [f"<p><b>{rows[0]['panel']}</b></p>"]
    body += [layout(rows, rng), '<div class="foot">', *(f"<span>{f.format(**words)}</span>" for f in foot), "</div>"]
    body += [f"<p><small>{note.format(**words)}</small></p>"]
    body += ['<div class="stamp">检验科<br>专用章</div>'] if language == "zh" and rng.random() < 0.35 else []
    body += ['<div class="mark">SAMPLE</div>'] if rng.random() < 0.15 else []
    return f'<!doctype html><meta charset=utf-8><style>{CSS}</style><body style="{look}">{"".join(body)}'


def truth(rows: Sequence[Row], layout: Layout) -> list[dict[str, str | None]]:
    """The rows as `score_labs.py` wants them."""
    coded, strip = layout in lab_layouts.CODED, layout in lab_layouts.STRIPS
    return [
        {
            "name_as_printed": (r["code"] or r["name"]) if strip else r["name"],
            "code": r["code"] if coded else None,
            "value": r["value"],
            "unit": None
            if layout in lab_layouts.UNITLESS
            else re.sub("<.*?>", "", r["unit"].replace("10<sup>", "10^")) or None,
            "ref_low": r["low"] or None,
            "ref_high": r["high"] or None,
            "ref_text": r["ref"],
            "flag": r["flag"] if layout not in lab_layouts.UNFLAGGED else "",
        }
        for r in rows
    ]


def shot(document: str, out: Path) -> None:
    """The HTML drawn by Chromium, white below its end cut off."""
    import cv2
    import numpy as np

    with tempfile.NamedTemporaryFile("w", suffix=".html", encoding="utf-8") as file:
        file.write(document)
        file.flush()
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1240,2600"]
        subprocess.run(
            ["chromium", *flags, f"--screenshot={out.resolve()}", f"file://{file.name}"],
            check=True,
            capture_output=True,
            timeout=120,
        )
    drawn_page = cv2.imread(str(out))
    inked = np.argwhere((drawn_page < 200).any(axis=2))
    cv2.imwrite(str(out), drawn_page[: int(inked[:, 0].max()) + 60, : min(1240, int(inked[:, 1].max()) + 60)])


def main() -> None:
    """Read the arguments and write the sheets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=36)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    every = {language: list(panels(language).values()) for language in lab_layouts.LAYOUTS}
    for number in range(args.count):
        rng = random.Random(args.seed * 1000 + number)
        language = "zh" if number % 2 else "en"
        layouts, turn = lab_layouts.LAYOUTS[language], number // 2 + 7 * args.seed
        layout = layouts[turn % len(layouts)]
        panel = every[language][(turn * 5 + turn // len(layouts)) % len(every[language])]
        rows = [
            {k: html.escape(v) if k in ("name", "ref", "value") else v for k, v in row.items()}
            for row in drawn(panel, rng)
        ]
        name = f"{language}{number:02d}{layout.__name__}"
        shot(page(rows, layout, language, rng), args.out / f"{name}.png")
        items = [{k: html.unescape(v) if v else v for k, v in item.items()} for item in truth(rows, layout)]
        (args.out / f"{name}.json").write_text(
            json.dumps(
                {"id": name, "lang": language, "panel": panel[0]["panel"], "items": items}, ensure_ascii=False, indent=1
            ),
            "utf-8",
        )
        print(name, panel[0]["panel"], len(rows), flush=True)


if __name__ == "__main__":
    main()
