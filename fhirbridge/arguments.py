"""What the command line takes: every command's arguments and their help. No work is done here."""

from __future__ import annotations

import argparse
from datetime import date, time
from typing import Any

from fhirbridge import __version__, choices


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line; what it gives names the command as `command`."""
    parser = argparse.ArgumentParser(
        prog="fhirbridge",
        description="Transcripts and lab photos into FHIR; FHIR into the trials a patient can join. Offline.",
    )
    parser.add_argument("--version", action="version", version=f"fhirbridge {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for add in (_add_readers, _add_matching, _add_servers, _add_people):
        add(commands)
    return parser


def _command(commands: Any, name: str, help: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=help, description=help)
    parser.set_defaults(command=name)
    return parser


def _add_readers(commands: Any) -> None:
    p = _command(commands, "transcript", "conversations and notes into FHIR")
    p.add_argument("files", nargs="+", metavar="FILE")
    p.add_argument("--date", type=_day, help="day of the visit, YYYY-MM-DD: anchors 'three days ago'")
    p.add_argument("--terminology", action="append", default=[], metavar="NAME=PATH", help="your own licensed tables")
    p.add_argument("--llm", metavar="URL", help="also ask an OpenAI-compatible model, e.g. http://127.0.0.1:11434/v1")
    p.add_argument("--llm-model", default="default", metavar="NAME", help="the model's name at that address")
    p.add_argument("--allow-remote", action="store_true", help="--llm may be another machine: patients' words leave!")
    p.epilog = "A key for --llm is read from FHIRBRIDGE_LLM_KEY."
    _fhir_options(p)
    p = _command(commands, "lab", "photos, scans and PDFs of laboratory reports into FHIR")
    p.add_argument("images", nargs="+", metavar="IMAGE")
    p.add_argument("--ocr", default="auto", help=f"auto or one of {', '.join(choices.names('ocr'))}")
    p.add_argument("--no-header", action="store_true", help="leave out the patient's header, blanked in the picture")
    p.add_argument("--one-report", action="store_true", help="the images are of one report, in the order given")
    p.add_argument("--html", action="store_true", help="beside each output a page with the photo, boxes and doubts")
    _fhir_options(p)
    p = _command(commands, "study", "trial records into ResearchStudy and eligibility Group")
    p.add_argument("files", nargs="+", metavar="FILE")
    p.add_argument("--registry", default="auto", help=f"auto or one of {', '.join(choices.names('registries'))}")
    p.add_argument("--fhir-version", choices=("R4", "R5"), default="R4")
    p.add_argument("--workers", type=int, default=0, help="processes (default: as many as there are processors)")
    p.add_argument("-o", "--out", metavar="OUT")


def _fhir_options(p: argparse.ArgumentParser) -> None:
    p.add_argument("--language", choices=("auto", "en", "zh"), default="auto")
    p.add_argument("--transaction", action="store_true", help="a transaction Bundle, ready to push")
    p.add_argument("--fhir-version", choices=("R4", "R5"), default="R4")
    p.add_argument("-o", "--out", metavar="OUT", help="DIR/, x.ndjson or x.json; standard output if left out")


def _add_matching(commands: Any) -> None:
    p = _command(commands, "match", "patients against studies, ranked, with reasons")
    p.add_argument("--patients", nargs="+", required=True, metavar="PATH")
    p.add_argument("--studies", nargs="+", required=True, metavar="PATH")
    p.add_argument("--as-of", type=_day, metavar="DATE", help="judge as of this day (default: today)")
    p.add_argument("--top", type=int, metavar="N")
    p.add_argument("--explain", choices=("all", "top", "none"), default="all")
    p.add_argument("--format", choices=("ndjson", "fhir"), default="ndjson")
    p.add_argument("--by", choices=("patient", "study"), default="patient", help="study: patients ranked, and a funnel")
    p.add_argument("--engine", choices=("local", "spark"), default="local")
    p.add_argument("--workers", type=int, default=1, help="processes (default 1)")
    p.add_argument("--since", metavar="NDJSON", help="an earlier run's output: judge only what changed since")
    p.add_argument("--policy", metavar="TSV", help="what an unrecorded fact counts as, laid out as the shipped table")
    p.add_argument("-o", "--out", metavar="OUT")
    p = _command(commands, "night", "the night run: fetch, match, write, tell")
    p.add_argument("config", metavar="CONFIG.toml")
    p.add_argument("--init", action="store_true", help="write a commented configuration to start from")
    p.add_argument("--check", action="store_true", help="try sources, channels and keys; send nothing")
    p.add_argument("--dry-run", action="store_true", help="judge and write, tell nobody")
    p.add_argument("--at", type=_clock, metavar="HH:MM", help="wait and run each night at this time")
    p.add_argument("--install", action="store_true", help="print the lines for systemd, launchd and cron")


def _add_servers(commands: Any) -> None:
    p = _command(commands, "push", "Bundles to a FHIR server, each resource once")
    p.add_argument("paths", nargs="+", metavar="PATH")
    modes = "whole, entry by entry, or what is there already brought up to date"
    p.add_argument("--mode", choices=("transaction", "batch", "update"), default="transaction", help=modes)
    p.add_argument("--most", type=int, default=400, metavar="N", help="entries in one transaction (default 400)")
    p.add_argument("--insist", action="store_true", help="send what is not valid FHIR all the same")
    p.add_argument("--ask", action="store_true", help="ask the server's own $validate first")
    p.add_argument("--fhir-version", choices=("R4", "R5"), default="R4", help="what the server and the files speak")
    p.add_argument("--journal", metavar="FILE", help="remember what was taken, so that an interrupted push goes on")
    _server_options(p)
    p = _command(commands, "pull", "patients from a FHIR server")
    _server_options(p)
    which = p.add_mutually_exclusive_group(required=True)
    which.add_argument("--patient", metavar="ID")
    which.add_argument("--group", metavar="ID")
    which.add_argument("--all", action="store_true")
    p.add_argument("-o", "--out", required=True, metavar="DIR")


def _server_options(p: argparse.ArgumentParser) -> None:
    p.add_argument("--server", required=True, metavar="URL")
    p.add_argument("--user", help="basic authorisation; the password is read from FHIRBRIDGE_PASSWORD")
    p.add_argument("--client-id", help="SMART backend services; with --key")
    p.add_argument("--key", metavar="FILE", help="JWKS file with the private key")
    p.add_argument("--token-url", metavar="URL", help="where the server does not publish it")
    p.add_argument("--scope", default="system/*.rs")
    p.add_argument("--ca", metavar="FILE", help="certificate of a private authority")
    p.epilog = "A bearer token is read from FHIRBRIDGE_TOKEN."


def _add_people(commands: Any) -> None:
    p = _command(commands, "review", "the review page on 127.0.0.1")
    p.add_argument("--port", type=int, default=0, help="default: a free one")
    p.add_argument("--studies", nargs="+", default=[], metavar="PATH", help="trials to match the reviewed patient with")
    p.add_argument("--server", metavar="URL", help="the FHIR server that the page may push to")
    p.add_argument("-o", "--out", default="reviewed", metavar="DIR", help="where saved Bundles go")
    p = _command(commands, "mcp", "an MCP server on standard input and output")
    p.add_argument("--root", action="append", metavar="DIR", help="where files may be read (default: this directory)")
    p.add_argument("--server", metavar="URL", help="the FHIR server that push may write to, after a yes each time")
    p = _command(commands, "skill", "the OpenClaw skill folder")
    p.add_argument("-o", "--out", required=True, metavar="DIR")
    p = _command(commands, "demo", "the whole job on made-up patients, into demo-output/")
    p.add_argument("-o", "--out", default="demo-output", metavar="DIR")


def _clock(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"'{text}' is no time of day; write HH:MM") from error


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"'{text}' is not a day; write YYYY-MM-DD") from error
