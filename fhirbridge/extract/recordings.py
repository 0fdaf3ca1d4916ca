"""What speech recognisers and annotators write -> turns: WebVTT, SRT, JSON segments, Praat TextGrid."""

# ruff: noqa: E501  (patterns read better on one line)
from __future__ import annotations

import json
import re
from typing import Any

from fhirbridge.errors import UnreadableInput
from fhirbridge.extract import speakers
from fhirbridge.records import Span, Speaker, Turn

_CUE = re.compile(
    r"^(?:(?P<id>[^\n]*)\n)?[ \t]*(?P<from>(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3})[ \t]*-->[ \t]*(?P<to>(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3})[^\n]*\n",
    re.M,
)
_VOICE = re.compile(r"<v(?:\.[\w.]+)?[ \t]+([^>]+)>")
_TAG = re.compile(r"</?[a-z][^>\n]*>")
_LABEL = re.compile(r"[ \t]*(?:\[([^\]\n]{1,40})\]|([^:：\n<]{1,40})[:：])[ \t]*")
_INTERVAL = re.compile(r'xmin = ([\d.]+)\s*\n\s*xmax = ([\d.]+)\s*\n\s*text = "((?:[^"]|"")*)"')


def read(text: str, name: str) -> tuple[str, tuple[Turn, ...]] | None:
    """The text that offsets count in, and its turns; None when it is none of these formats."""
    start = text.lstrip()[:40]
    if start.startswith(("{", "[")) and (found := _json(text, name)) is not None:
        return found
    if start.startswith("WEBVTT") or (_CUE.search(text[:4000]) and "-->" in text[:4000]):
        return text, _cues(text)
    if 'File type = "ooTextFile"' in text[:200]:
        return _textgrid(text)
    return None


def _seconds(stamp: str) -> float:
    total = 0.0
    for part in stamp.replace(",", ".").split(":"):
        total = total * 60 + float(part)
    return total


def _cues(text: str) -> tuple[Turn, ...]:
    cues = list(_CUE.finditer(text))
    turns: list[Turn] = []
    for cue, following in zip(cues, [*cues[1:], None], strict=True):
        end = following.start() if following else len(text)
        body = text[cue.end() : end].rstrip()
        start, role = cue.end(), turns[-1].speaker if turns else Speaker.UNKNOWN
        if voice := _VOICE.match(body):
            role = speakers.role(voice[1]) or Speaker.UNKNOWN
            start += voice.end()
        elif (label := _LABEL.match(body)) and (known := speakers.role(label[1] or label[2])):
            role = known
            start += label.end()
        stop = cue.end() + len(body)
        if close := re.search(r"</v>\s*$", body):
            stop = cue.end() + close.start()
        words = text[start:stop]
        span = Span(start, len(words))
        turns.append(Turn(role, words, span, _seconds(cue["from"]), _seconds(cue["to"])))
    return tuple(turns)


def _json(text: str, name: str) -> tuple[str, tuple[Turn, ...]] | None:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        if not re.match(r'\s*[\[{]\s*(?:[{\["]|$)', text[:200]):
            return None  # "[doctor] hi" is labelled text
        raise UnreadableInput(name, f"not valid JSON at line {error.lineno}", "is the file complete?") from error
    segments = _segments(value)
    if segments is None:
        raise UnreadableInput(name, "JSON without turns", "give a list of objects with speaker and text")
    return _said(segments)


def _segments(value: Any) -> list[dict[str, Any]] | None:
    if isinstance(value, list) and value and all(isinstance(v, dict) for v in value):
        return value if any(_words(v) for v in value) else None
    if isinstance(value, dict):
        for key in ("segments", "turns", "utterances", "results", "transcript", "dialogue", "conversation", "messages"):
            if (inner := _segments(value.get(key))) is not None:
                return inner
    return None


def _words(segment: dict[str, Any]) -> str:
    for key in ("text", "utterance", "transcript", "sentence", "content", "words"):
        if isinstance(segment.get(key), str):
            return " ".join(str(segment[key]).split())
    return ""


def _said(segments: list[dict[str, Any]]) -> tuple[str, tuple[Turn, ...]]:
    """JSON escapes have no offsets in what was said, so the text is written out: one `speaker: words` a line."""
    turns: list[Turn] = []
    lines: list[str] = []
    place = 0
    for segment in segments:
        words = _words(segment)
        if not words:
            continue
        label = str(segment.get("speaker") or segment.get("role") or segment.get("name") or "")
        head = f"{label}: " if label else ""
        role = (speakers.role(label) if label else None) or Speaker.UNKNOWN
        start, end = (_number(segment.get(key)) for key in ("start", "end"))
        turns.append(Turn(role, words, Span(place + len(head), len(words)), start, end))
        lines.append(f"{head}{words}\n")
        place += len(lines[-1])
    return "".join(lines), tuple(turns)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _textgrid(text: str) -> tuple[str, tuple[Turn, ...]]:
    turns: list[Turn] = []
    tiers = re.split(r'\n\s*name = "', text)[1:]
    for tier in tiers:
        role = speakers.role(tier.split('"', 1)[0]) or Speaker.UNKNOWN
        for begin, end, words in _INTERVAL.findall(tier):
            said = " ".join(re.sub(r"<[^>]*>", " ", words.replace('""', '"')).split())
            if said:
                turns.append(Turn(role, said, Span(0, 0), float(begin), float(end)))
    turns.sort(key=lambda turn: turn.start or 0.0)
    lines, placed, place = [], [], 0
    for turn in turns:
        head = f"{turn.speaker.value}: "
        placed.append(Turn(turn.speaker, turn.text, Span(place + len(head), len(turn.text)), turn.start, turn.end))
        lines.append(f"{head}{turn.text}\n")
        place += len(lines[-1])
    return "".join(lines), tuple(placed)
