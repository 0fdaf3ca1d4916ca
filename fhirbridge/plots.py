"""Figures of funnels, matches and laboratory values (matplotlib; the `plots` extra), labelled in English or Chinese.

Each is drawn on a figure of its own that needs no screen, or on `axes` / `figure` that you give, e.g. from pyplot. They
return what they drew on: `.figure.savefig("funnel.png")`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from fhirbridge import languages
from fhirbridge.errors import ConfigurationError, EmptyInput, MissingDependency

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fhirbridge.eligibility.matches import Funnel, Matches
    from fhirbridge.fhir.record import Record

__all__ = ["funnel", "lab_trends", "match_heatmap"]

# Okabe and Ito's colours, which the colour-blind tell apart (https://jfly.uni-koeln.de/color/).
_COLOUR = {"eligible": "#009E73", "undetermined": "#E69F00", "excluded": "#999999"}
_LEFT, _LOST, _OPEN = "#0072B2", "#D55E00", "#E69F00"
_STATUSES = ("excluded", "undetermined", "eligible")
_CHINESE = (
    "Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", "SimHei", "Heiti SC",
    "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Noto Sans CJK JP", "Noto Serif CJK SC", "Droid Sans Fallback",
)  # fmt: skip
_WIDEST = 48  # characters of a criterion beside its bar
_SHOWN = 400  # cells up to which a heat map writes its scores


def funnel(funnel: Funnel, *, language: str = "en", axes: Axes | None = None) -> Axes:
    """One bar a criterion, in the order of the study: who remains, who is lost by it, and who is not known."""
    words = _words(language)
    if not funnel.steps:
        raise EmptyInput(funnel.study or "funnel", "no criterion was judged", "match with explain='all'")
    axes = axes if axes is not None else _axes(9, 1.4 + 0.34 * (len(funnel.steps) + 1))
    from matplotlib.ticker import MaxNLocator

    before = [funnel.patients, *(step["remaining"] for step in funnel.steps)]
    remaining = before[:1] + [step["remaining"] for step in funnel.steps]
    lost = [0] + [a - b for a, b in zip(before, remaining[1:], strict=False)]
    places = range(len(remaining))
    axes.barh(places, remaining, color=_LEFT, label=words["remaining"])
    axes.barh(places, lost, left=remaining, color=_LOST, label=words["lost"])
    axes.plot(
        [step["unknown"] for step in funnel.steps], places[1:], "D", color=_OPEN, markersize=4, label=words["unknown"]
    )
    names = [words["all"], *(f"{words[s['kind']]}  {_short(s['text'])}" for s in funnel.steps)]
    axes.set_yticks(list(places), names)
    axes.invert_yaxis()
    axes.set_xlim(0, max(funnel.patients, 1) * 1.02)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title(words["funnel"].format(title=_short(funnel.title or funnel.study), patients=funnel.patients))
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.06), ncols=3, frameon=False)
    return _finished(axes)


def match_heatmap(matches: Matches, *, language: str = "en", axes: Axes | None = None) -> Axes:
    """Patients by studies: the colour tells eligible, undetermined or excluded, the figure in a cell the score."""
    words, found = _words(language), list(matches)
    if not found:
        raise EmptyInput("matches", "there is no patient and study to show")
    patients, studies = sorted({m.patient for m in found}), sorted({m.study for m in found})
    cells = [[float("nan")] * len(studies) for _ in patients]
    for m in found:
        cells[patients.index(m.patient)][studies.index(m.study)] = _STATUSES.index(m.status)
    axes = axes if axes is not None else _axes(2.4 + 0.55 * len(studies), 2.2 + 0.35 * len(patients))
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    colours = ListedColormap([_COLOUR[s] for s in _STATUSES])
    axes.imshow(cells, cmap=colours, vmin=-0.5, vmax=2.5, aspect="auto", interpolation="nearest")
    for m in found if len(found) <= _SHOWN else ():
        where = studies.index(m.study), patients.index(m.patient)
        axes.text(*where, f"{m.score:.2f}", ha="center", va="center", fontsize=8)
    axes.set_xticks(range(len(studies)), [_id(s) for s in studies], rotation=45, ha="right")
    axes.set_yticks(range(len(patients)), [_id(p) for p in patients])
    axes.set_xlabel(words["studies"])
    axes.set_ylabel(words["patients"])
    axes.set_title(words["matches"].format(day=matches.as_of.isoformat()), fontsize=10)
    marks = [Patch(color=_COLOUR[s], label=words[s]) for s in reversed(_STATUSES)]
    axes.legend(handles=marks, loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)
    return _finished(axes)


@dataclass
class _Series:
    """The values of one analyte in one unit."""

    name: str
    unit: str
    points: list[tuple[datetime, float, bool]] = field(default_factory=list)  # when, value, final
    low: float | None = None
    high: float | None = None


def lab_trends(
    records: Record | Iterable[Record],
    *,
    names: Sequence[str] = (),
    language: str = "en",
    figure: Figure | None = None,
) -> Figure:
    """One small plot an analyte over time, its reference range shaded; values to be checked are hollow.

    `records` are those of one patient. Analytes are the same by LOINC code, else by printed name, and only in the same
    unit: nothing is converted. `names` (printed names or LOINC codes) chooses; the default is all that have a date.
    """
    words = _words(language)
    series = [s for s in _series(records, {n.casefold() for n in names}) if s.points]
    if not series:
        raise EmptyInput("records", "no dated laboratory value to show", "check names=, and the reports' dates")
    columns = min(3, len(series))
    lines = -(-len(series) // columns)
    figure = figure if figure is not None else _figure(4 * columns, 0.8 + 2.4 * lines)
    grid = figure.subplots(lines, columns, squeeze=False)
    for axes, one in zip(grid.flat, series, strict=False):
        _trend(axes, one, words)
    for axes in grid.flat[len(series) :]:
        axes.set_visible(False)
    for axes in grid.flat:
        _finished(axes)
    figure.suptitle(words["trends"], fontfamily=_fonts())
    figure.autofmt_xdate()
    return figure


def _trend(axes: Axes, one: _Series, words: dict[str, str]) -> None:
    from matplotlib.dates import AutoDateLocator, date2num

    points = [(float(date2num(when)), value, final) for when, value, final in sorted(one.points)]
    axes.xaxis_date()
    axes.xaxis.set_major_locator(AutoDateLocator(minticks=2, maxticks=5))
    axes.plot([p[0] for p in points], [p[1] for p in points], "-", color=_LEFT, linewidth=1)
    for final, fill in ((True, _LEFT), (False, "none")):
        at = [p for p in points if p[2] is final]
        if at:
            label = words["final" if final else "preliminary"]
            axes.plot([p[0] for p in at], [p[1] for p in at], "o", color=_LEFT, markerfacecolor=fill, label=label)
    low, high = axes.get_ylim()
    low, high = min([low, *_known(one.low)]), max([high, *_known(one.high)])
    if one.low is not None or one.high is not None:
        bottom, top = (low if one.low is None else one.low), (high if one.high is None else one.high)
        axes.axhspan(bottom, top, color="#009E73", alpha=0.12, label=words["range"])
    axes.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))
    axes.set_title(_short(one.name), fontsize=10)
    axes.set_ylabel(one.unit)
    axes.legend(fontsize=7, frameon=False)


def _known(value: float | None) -> tuple[float, ...]:
    return () if value is None else (value,)


def _series(records: Record | Iterable[Record], wanted: set[str]) -> list[_Series]:
    """The analytes in the order they are first met."""
    found: dict[tuple[str, str], _Series] = {}
    for record in [records] if hasattr(records, "resources") else records:
        for resource in record.resources("Observation"):
            _add(found, resource, wanted)
    return list(found.values())


def _add(found: dict[tuple[str, str], _Series], resource: dict[str, Any], wanted: set[str]) -> None:
    quantity, when = resource.get("valueQuantity", {}), _when(resource)
    if "value" not in quantity or when is None or not _laboratory(resource):
        return
    concept = resource.get("code", {})
    loinc = next((c["code"] for c in concept.get("coding", []) if c.get("system") == "http://loinc.org"), "")
    name = concept.get("text") or loinc
    if wanted and not wanted & {name.casefold(), loinc}:
        return
    unit = quantity.get("code") or quantity.get("unit", "")
    one = found.setdefault((loinc or name.casefold(), unit), _Series(name, quantity.get("unit") or unit))
    one.points.append((when, float(quantity["value"]), resource.get("status") == "final"))
    for limits in resource.get("referenceRange", [])[:1]:
        one.low, one.high = _limit(limits, "low"), _limit(limits, "high")


def _limit(limits: dict[str, Any], side: str) -> float | None:
    value = limits.get(side, {}).get("value")
    return None if value is None else float(value)


def _laboratory(resource: dict[str, Any]) -> bool:
    return any(c.get("code") == "laboratory" for g in resource.get("category", []) for c in g.get("coding", []))


def _when(resource: dict[str, Any]) -> datetime | None:
    text = str(resource.get("effectiveDateTime", ""))
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:  # only a year or a month: no place on the axis
        return None


def _words(language: str) -> dict[str, str]:
    return {row["key"]: row["text"] for row in languages.rows(language, "plots")}


def _figure(width: float, height: float) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependency("matplotlib is not installed; pip install 'fhirbridge[plots]'") from error
    if width > 500 or height > 500:
        raise ConfigurationError("too many patients or studies for one figure; choose fewer")
    return Figure(figsize=(width, height), layout="constrained")


def _axes(width: float, height: float) -> Axes:
    axes: Axes = _figure(width, height).subplots()
    return axes


def _fonts() -> list[str]:
    """The usual font, and behind it one with Chinese characters where the machine has one."""
    import matplotlib as mpl
    from matplotlib import font_manager

    there = {font.name for font in font_manager.fontManager.ttflist}
    return [*mpl.rcParams["font.sans-serif"][:1], *[name for name in _CHINESE if name in there][:1]]


def _finished(axes: Axes) -> Axes:
    """The axes, all their words in fonts that have them, and the frame lines that say nothing gone."""
    from matplotlib.text import Text

    fonts = _fonts()
    for text in axes.findobj(Text):
        text.set_fontfamily(fonts)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def _short(text: str) -> str:
    text = " ".join(text.split()).replace("$", r"\$")  # a dollar sign would begin a formula
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _id(reference: str) -> str:
    return reference.rpartition("/")[2]
