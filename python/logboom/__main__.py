"""The command line: ``python -m logboom recover [DIR]`` writes what killed processes left behind;
``python -m logboom levels FILE [LEVELS]`` shows or sets levels;
``python -m logboom log-config`` prints where the log configuration for servers is.

``recover`` exits with 0, or with 1 where a ring was refused or could not be written; what was written
until then stays written, and is not written twice.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

from logboom import LogboomError, _level_command, _logboom


def main(arguments: list[str] | None = None) -> int:
    """Run the command that these arguments ask for; give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m logboom")
    commands = parser.add_subparsers(required=True)
    recover = commands.add_parser(
        "recover",
        help="write what killed processes left in their durable rings",
        description="Write the records that killed processes had accepted and not written, to the "
        "files they were meant for. Rings of living processes are not touched.",
    )
    recover.add_argument(
        "directory",
        nargs="?",
        help="where the rings lie, as given to configure(durable=...); default LOGBOOM_DURABLE, or "
        "the directory that durable=True stands for",
    )
    recover.add_argument("--json", action="store_true", help="tell what was done as JSON")
    recover.set_defaults(run=_recover)
    _level_command.add_to(commands)
    log_config = commands.add_parser(
        "log-config",
        help="print the path of a log configuration for uvicorn, hypercorn and granian",
        description="Print the path of a file in JSON for the option --log-config of uvicorn and "
        "granian, --log-config json:FILE of hypercorn and --log-config-json of gunicorn.",
    )
    log_config.set_defaults(run=_log_config)
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options))
    except (LogboomError, OSError) as error:
        sys.stderr.write(f"logboom: {error}\n")
        return 1


def _log_config(options: argparse.Namespace) -> int:
    del options
    from logboom._servers import LOG_CONFIG_FILE

    sys.stdout.write(f"{LOG_CONFIG_FILE}\n")
    return 0


def _recover(options: argparse.Namespace) -> int:
    directory = options.directory
    if directory is None:
        from logboom._lifecycle import durable_in_environment

        given = durable_in_environment()
        directory = given if isinstance(given, str) else _logboom.default_durable_directory()
    if not os.path.isdir(directory):
        # Nobody was durable there yet, or a clean shutdown left nothing: no reason to fail.
        rings: list[dict[str, Any]] = []
    else:
        rings = _logboom.recover(directory)
    records = sum(place["records"] for ring in rings for place in ring["places"])
    if options.json:
        told = {"directory": str(directory), "records": records, "rings": rings}
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
    else:
        for ring in rings:
            for line in _lines(ring):
                sys.stdout.write(line + "\n")
        sys.stdout.write(f"{records} records recovered in {directory}\n")
    return 1 if any(ring["outcome"] in {"refused", "failed"} for ring in rings) else 0


def _lines(ring: dict[str, Any]) -> list[str]:
    head = f"{ring['file']}: {ring['outcome']}"
    if ring["reason"]:
        head += f": {ring['reason']}"
    if ring["damaged_at"] is not None:
        head += ", damaged: kept as .damaged"
    lines = [head]
    for place in ring["places"]:
        line = f"  {place['records']} records into {place['path']}"
        if place["instead_of"]:
            line += f" instead of {place['instead_of']}"
        if not place["exactly_once"]:
            line += ", some may have been written before"
        lines.append(line)
    return lines


if __name__ == "__main__":
    sys.exit(main())
