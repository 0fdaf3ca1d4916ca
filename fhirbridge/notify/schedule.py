"""When the night runs: waiting in the foreground for a time of day, and the lines that a machine's scheduler wants."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime, time, timedelta
from pathlib import Path


def next_start(now: datetime, at: time) -> datetime:
    """The next moment the wall clock shows `at`, with the zone's offset of that day: a clock change is followed."""
    day = now.date() if now.time() < at else now.date() + timedelta(days=1)
    return datetime.combine(day, at).astimezone()


def every_night(
    run: Callable[[], int], at: time, *, now: Callable[[], datetime], sleep: Callable[[float], None], nights: int = 0
) -> int:
    """Run each night at `at`; `nights` 0 never ends. The highest exit code of the nights there were."""
    worst, done = 0, 0
    while not nights or done < nights:
        start = next_start(now(), at)
        while (left := (start - now()).total_seconds()) > 0:
            sleep(min(left, 60.0))  # short sleeps: a machine that slept itself is late by a minute at most
        worst = max(worst, run())
        done += 1
    return worst


def install_lines(configuration: Path, at: time) -> str:
    """What to put where for systemd, launchd and cron; printed, never written."""
    program, file = sys.argv[0] if sys.argv[0].endswith("fhirbridge") else "fhirbridge", configuration.resolve()
    return f"""\
# systemd, as ~/.config/systemd/user/fhirbridge-night.service
[Unit]
Description=fhirbridge night run
[Service]
Type=oneshot
ExecStart={program} night {file}

# and ~/.config/systemd/user/fhirbridge-night.timer, then: systemctl --user enable --now fhirbridge-night.timer
[Timer]
OnCalendar=*-*-* {at:%H:%M}:00
Persistent=true
[Install]
WantedBy=timers.target

# launchd (macOS), as ~/Library/LaunchAgents/org.fhirbridge.night.plist
<plist version="1.0"><dict>
  <key>Label</key><string>org.fhirbridge.night</string>
  <key>ProgramArguments</key><array><string>{program}</string><string>night</string><string>{file}</string></array>
  <key>StartCalendarInterval</key><dict><key>Hour</key><integer>{at.hour}</integer><key>Minute</key><integer>{at.minute}</integer></dict>
</dict></plist>

# cron
{at.minute} {at.hour} * * * {program} night {file}
"""
