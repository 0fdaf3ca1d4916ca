"""How laboratories lay out a table of results: each function gives the HTML of one, from a panel's rows."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

Row = dict[str, str]
Layout = Callable[[Sequence[Row], random.Random], str]
ARROWS = {"H": "↑", "L": "↓", "": ""}


def _table(rows: Sequence[Sequence[str]], heads: Sequence[str], style: str = "") -> str:
    top = "<tr>" + "".join(f"<th>{head}</th>" for head in heads) + "</tr>" if heads else ""
    return (
        f'<table class="{style}">{top}'
        + "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
        + "</table>"
    )


def _two(rows: Sequence[Row], cells: Callable[[int, Row], Sequence[str]], heads: Sequence[str], style: str) -> str:
    half = (len(rows) + 1) // 2
    sides = [
        _table([cells(i, row) for i, row in part], heads, style)
        for part in (list(enumerate(rows, 1))[:half], list(enumerate(rows, 1))[half:])
    ]
    return f'<div class="two"><div>{sides[0]}</div><div>{sides[1]}</div></div>'


def zh_code_first(rows: Sequence[Row], rng: random.Random) -> str:
    return _table(
        [[r["code"], r["name"], r["value"], r["unit"], r["ref"], ARROWS[r["flag"]]] for r in rows],
        ["代号", "项目名称", "检验结果", "单位", "参考区间", "提示"],
        "rules",
    )


def zh_glued(rows: Sequence[Row], rng: random.Random) -> str:
    def cells(i: int, r: Row) -> list[str]:
        return [str(i), r["name"], r["value"] + ARROWS[r["flag"]], r["ref"], r["unit"]]

    return _two(rows, cells, ["No", "检验项目", "结果", "参考值", "单位"], "tight")


def zh_arrow_first(rows: Sequence[Row], rng: random.Random) -> str:
    return _table(
        [
            [f"{i}、{r['name']}({r['code']})", f"{ARROWS[r['flag']]} {r['value']}", r["ref"], r["unit"]]
            for i, r in enumerate(rows, 1)
        ],
        ["项目", "测定结果", "参考范围", "单位"],
    )


def zh_two_codes(rows: Sequence[Row], rng: random.Random) -> str:
    def cells(i: int, r: Row) -> list[str]:
        return [r["code"], r["name"], ARROWS[r["flag"]], r["value"], r["unit"], r["ref"]]

    return _two(rows, cells, ["缩写", "项目名称", "", "结果", "单位", "参考区间"], "tight")


def zh_method(rows: Sequence[Row], rng: random.Random) -> str:
    methods = ("免疫比浊法", "酶法", "电极法", "化学发光法", "仪器法")
    return _table(
        [
            [
                str(i),
                ("*" if i % 3 == 0 else "") + r["name"],
                r["code"],
                r["value"],
                ARROWS[r["flag"]],
                r["unit"],
                r["ref"],
                methods[i % 5],
            ]
            for i, r in enumerate(rows, 1)
        ],
        ["序号", "检验项目", "简称", "结果", "标志", "单位", "参考区间", "检测方法"],
        "grid",
    )


def zh_range_unit(rows: Sequence[Row], rng: random.Random) -> str:
    letter = {"H": "H", "L": "L", "": ""}
    return _table(
        [[r["code"], r["name"], letter[r["flag"]], r["value"], f"{r['ref']} {r['unit']}"] for r in rows],
        ["英文缩写", "中文名称", "状态", "结果", "参考值/单位"],
        "zebra",
    )


def zh_previous(rows: Sequence[Row], rng: random.Random) -> str:
    high = {"H": "偏高", "L": "偏低", "": ""}
    return _table(
        [
            [str(i), r["name"], r["value"], high[r["flag"]], r["unit"], r["ref"], r["value"]]
            for i, r in enumerate(rows, 1)
        ],
        ["序号", "项目名称", "本次结果", "提示", "单位", "参考范围", "上次结果"],
        "rules",
    )


def zh_strip(rows: Sequence[Row], rng: random.Random) -> str:
    letter = {"H": "H", "L": "L", "": ""}
    return _table(
        [
            [
                r["code"] or r["name"],
                r["value"],
                letter[r["flag"]],
                r["unit"],
                f"[{r['ref']}]" if r["low"] and r["high"] else r["ref"],
            ]
            for r in rows
        ],
        [],
        "strip",
    )


def zh_sections(rows: Sequence[Row], rng: random.Random) -> str:
    body = [
        [r["name"], r["code"], r["value"] + (f" {ARROWS[r['flag']]}" if r["flag"] else ""), r["unit"], r["ref"]]
        for r in rows
    ]
    half = len(body) // 2
    label = f'<tr><td colspan="5"><b>【{rows[0]["panel"]}】</b></td></tr>'
    table = _table(body, ["检测项目", "代码", "检测结果", "单位", "生物参考区间"], "zebra")
    parts = table.split("<tr>")
    return "<tr>".join([*parts[:2], label[4:], *parts[2 : 2 + half], *parts[2 + half :]])


def en_national(rows: Sequence[Row], rng: random.Random) -> str:
    word = {"H": "High", "L": "Low", "": ""}
    return _table(
        [[r["name"], r["value"], word[r["flag"]], r["unit"], r["ref"], "01"] for r in rows],
        ["TESTS", "RESULT", "FLAG", "UNITS", "REFERENCE INTERVAL", "LAB"],
        "rules",
    )


def en_out_of_range(rows: Sequence[Row], rng: random.Random) -> str:
    return _table(
        [
            [
                r["name"].upper(),
                "" if r["flag"] else r["value"],
                f"{r['value']} {r['flag']}" if r["flag"] else "",
                f"{r['ref']} {r['unit']}",
                "EN",
            ]
            for r in rows
        ],
        ["Test Name", "In Range", "Out Of Range", "Reference Range", "Lab"],
    )


def en_method_below(rows: Sequence[Row], rng: random.Random) -> str:
    methods = ("Photometry", "Calculated", "Electrical Impedance", "Chemiluminescence")
    body = [
        [
            f"{r['name']}<br><small>({methods[i % 4]})</small>",
            f"<b>{r['value']}</b>" if r["flag"] else r["value"],
            r["unit"],
            r["ref"],
        ]
        for i, r in enumerate(rows)
    ]
    notes = (
        "<p><b>Note</b></p><ol><li>Values between 100 and 125 mg/dL should be repeated after 3 months of diet.</li>"
        "<li>Results below 4.0 must be read with the clinical findings; 12 hours of fasting are advised.</li></ol>"
        "<p><b>Interpretation</b></p>"
        + _table(
            [
                ["Desirable", "&lt;200", "&lt;150"],
                ["Borderline High", "200-239", "150-199"],
                ["High", "&gt;=240", "200-499"],
            ],
            ["REMARKS", "TOTAL in mg/dL", "OTHER in mg/dL"],
            "grid",
        )
    )
    return _table(body, ["Test Name", "Results", "Units", "Bio. Ref. Interval"], "") + notes


def en_range_below(rows: Sequence[Row], rng: random.Random) -> str:
    mark = {"H": " (H)", "L": " (L)", "": ""}
    return _table(
        [[r["name"], f"{r['value']} {r['unit']}{mark[r['flag']]}<br><small>{r['ref']}</small>"] for r in rows],
        ["Test", "Result / Reference"],
        "rules",
    )


def en_portal(rows: Sequence[Row], rng: random.Random) -> str:
    return _table(
        [[r["name"], f"{r['value']} {r['unit']}", f"{r['ref']} {r['unit']}", r["flag"]] for r in rows],
        ["Component", "Your Value", "Standard Range", "Flag"],
        "zebra",
    )


def en_leaders(rows: Sequence[Row], rng: random.Random) -> str:
    return _table(
        [
            [
                f"<div class=dots><span>{r['name']}</span></div>",
                f"{r['value']} {'*' if r['flag'] else ''}",
                r["unit"],
                f"({r['ref']})",
            ]
            for r in rows
        ],
        ["Investigation", "Result", "Units", "Reference range"],
    )


def en_grid(rows: Sequence[Row], rng: random.Random) -> str:
    return _table(
        [[str(i), r["name"], r["ref"], r["unit"], r["value"], r["flag"]] for i, r in enumerate(rows, 1)],
        ["S.No", "Parameter", "Normal Range", "Unit", "Observed Value", "H/L"],
        "grid",
    )


def en_two(rows: Sequence[Row], rng: random.Random) -> str:
    def cells(i: int, r: Row) -> list[str]:
        return [r["name"], r["value"], r["flag"], r["ref"]]

    return _two(rows, cells, ["Test", "Result", "Flag", "Range"], "tight")


def en_unit_in_name(rows: Sequence[Row], rng: random.Random) -> str:
    return _table(
        [
            [
                r["name"],
                r["value"],
                {"H": "H*", "L": "L*", "": ""}[r["flag"]],
                r["unit"],
                r["low"] or "",
                r["high"] or "",
            ]
            for r in rows
        ],
        ["Description", "Result", "Flag", "Units", "Low", "High"],
        "mono",
    )


LAYOUTS: dict[str, tuple[Layout, ...]] = {
    "zh": (
        zh_code_first,
        zh_glued,
        zh_arrow_first,
        zh_two_codes,
        zh_method,
        zh_range_unit,
        zh_previous,
        zh_strip,
        zh_sections,
    ),
    "en": (
        en_national,
        en_out_of_range,
        en_method_below,
        en_range_below,
        en_portal,
        en_leaders,
        en_grid,
        en_two,
        en_unit_in_name,
    ),
}
UNITLESS = (en_two,)
UNFLAGGED = (en_method_below,)
STRIPS = (zh_strip,)
CODED = (zh_code_first, zh_arrow_first, zh_two_codes, zh_method, zh_range_unit, zh_sections)
NARROW = (en_two, zh_glued, zh_two_codes)
