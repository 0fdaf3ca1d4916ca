"""The page and the figures of one night: counts, durations, a funnel per trial, and what failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib import resources
from typing import Any

from fhirbridge.notify.digest import words
from fhirbridge.records import LeftOut


@dataclass
class Report:
    """What a night did. `seconds` by part; `funnel` study -> status -> patients, of the listed options."""

    as_of: str
    started: str
    patients: int = 0
    trials: int = 0
    judged: int = 0
    reused: int = 0
    unfinished: int = 0
    sent: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    failures: list[LeftOut] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    funnel: dict[str, Counter[str]] = field(default_factory=dict)

    def count(self, standing: Mapping[str, Sequence[Any]]) -> None:
        """Take a patient's standing in each listed study into the funnel."""
        for study, (status, *_) in standing.items():
            self.funnel.setdefault(study.rsplit("/", 1)[-1], Counter())[status] += 1

    def html(self, language: str) -> str:
        """The run page."""
        w = words(language)
        style = resources.files(__package__).joinpath("morning_page.css").read_text("utf-8")
        counts = {
            w["patients"]: self.patients,
            w["trials"]: self.trials,
            w["judged"]: self.judged,
            w["reused"]: self.reused,
            w["sent"]: self.sent,
        }
        table = "".join(f"<tr><th scope=row>{k}</th><td>{v:,}</td></tr>" for k, v in counts.items())
        times = "".join(
            f"<tr><td>{escape(k)}</td><td>{v:.1f} {w['seconds']}</td></tr>" for k, v in self.seconds.items()
        )
        failed = "".join(f"<li>{escape(f.source)}: {escape(f.reason)}</li>" for f in self.failures)
        notes = "".join(f"<li>{escape(n)}</li>" for n in self.notes)
        statuses = ("eligible", "undetermined", "excluded")
        funnel = "".join(
            f"<tr><th scope=row>{escape(study)}</th>{''.join(f'<td>{found[s]}</td>' for s in statuses)}</tr>"
            for study, found in sorted(self.funnel.items(), key=lambda item: (-item[1]["eligible"], item[0]))[:200]
        )
        heads = "".join(f"<th scope=col>{w[s]}</th>" for s in statuses)
        return (
            f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{w["run"]} {self.as_of}</title>'
            f"<style>{style}</style></head><body><main><h1>{w['run']} {self.as_of}</h1><table>{table}{times}</table>"
            + (f"<ul>{notes}</ul>" if notes else "")
            + (f"<h2>{w['failures']}</h2><ul>{failed}</ul>" if failed else "")
            + f"<h2>{w['funnel']}</h2><table><tr><td></td>{heads}</tr>{funnel}</table></main></body></html>\n"
        )

    def metrics(self) -> str:
        """The figures as a Prometheus textfile."""
        figures: dict[str, float] = {
            "patients": self.patients,
            "trials": self.trials,
            "judged": self.judged,
            "reused": self.reused,
            "unfinished": self.unfinished,
            "messages_sent": self.sent,
            "failures": len(self.failures),
        }
        lines = [f"fhirbridge_night_{k} {v}" for k, v in figures.items()]
        lines += [f'fhirbridge_night_seconds{{part="{k}"}} {v:.3f}' for k, v in self.seconds.items()]
        return "\n".join(lines) + "\n"
