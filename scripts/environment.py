"""The virtual environment of one interpreter, under the checkout.

``environment.py tag`` prints the name that the environment of the interpreter running this has.
``environment.py sync DIR GROUP`` makes the environment if it is not there, and installs a group of
``pyproject.toml`` into it.
``environment.py install DIR PROFILE TARGET`` builds the wheel with a cargo profile in a cargo
target directory, and installs it.

The wheel is installed, not linked: two builds of one Python version never share a library, and the
tests run what a user gets. Whatever changes an environment holds a lock beside it, so that two
``make`` at once wait for each other. Nothing here is newer than Python 3.6, so that an old
interpreter is told that it is old, and not where its syntax error is.
"""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PIP = "pip==26.3"
OLDEST = (3, 10)


def base_executable() -> str:
    """Give the interpreter itself, also when a virtual environment's or a shim started us."""
    return str(getattr(sys, "_base_executable", None) or sys.executable)


def tag() -> str:
    """Name this interpreter: its ABI for a reader, and a digest to tell two builds of it apart."""
    build = "\n".join((sys.version, os.path.realpath(sys.base_prefix)))
    digest = hashlib.sha256(build.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    abi = sysconfig.get_config_var("SOABI") or sys.implementation.name
    return f"{abi}-{digest}"


def python_of(directory: str) -> str:
    """Give the path of the environment's interpreter."""
    return os.path.abspath(os.path.join(directory, "bin", "python"))


def works(python: str) -> bool:
    """Whether the environment can be used: the interpreter that it points to may be gone."""
    try:
        return subprocess.call([python, "-m", "pip", "--version"], stdout=subprocess.DEVNULL) == 0
    except OSError:
        return False


@contextlib.contextmanager
def held(directory: str) -> "Iterator[None]":
    """Hold the environment's lock."""
    os.makedirs(directory, exist_ok=True)
    with open(directory + ".lock", "a") as lock:
        try:
            import fcntl
        except ImportError:
            yield  # Windows: there one `make` at a time is all that is supported
        else:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def sync(directory: str, group: str) -> None:
    """Make the environment, and install a group of tools into it."""
    python = python_of(directory)
    if not works(python) and subprocess.call(
        [base_executable(), "-m", "venv", "--clear", directory]
    ):
        sys.exit(
            f"{base_executable()} cannot make a virtual environment; on Debian and Ubuntu install "
            "python3-venv"
        )
    # The pip that an interpreter brings along may be too old to know dependency groups.
    pip_install(python, PIP)
    pip_install(python, "--group", group)


def install(directory: str, profile: str, target: str) -> None:
    """Build the wheel, and put it in the place of the one that is installed."""
    python = python_of(directory)
    wheels = os.path.join(directory, "wheels")
    shutil.rmtree(wheels, ignore_errors=True)
    subprocess.check_call(
        [
            *(python, "-m", "maturin", "build", "--profile", profile, "--interpreter", python),
            *("--target-dir", target, "--out", wheels),
            *("--auditwheel", "skip", "--compression-level", "1"),
        ]
    )
    found = [os.path.join(wheels, name) for name in os.listdir(wheels)]
    pip_install(python, "--no-deps", "--no-index", "--force-reinstall", *found)


def pip_install(python: str, *arguments: str) -> None:
    """Run ``pip install`` in an environment."""
    options = ("--quiet", "--disable-pip-version-check", "--no-input")
    subprocess.check_call([python, "-m", "pip", "install", *options, *arguments])


def main(arguments: "list[str]") -> None:
    """Do what the command line says."""
    if sys.version_info < OLDEST:
        sys.exit(
            f"logboom needs python 3.10 or newer, got {sys.version.split()[0]} at "
            f"{sys.executable}; choose one with make PYTHON=/path/to/python"
        )
    commands: "dict[tuple[str, int], Callable[..., None]]" = {
        ("sync", 3): sync,
        ("install", 4): install,
    }
    command = commands.get(((arguments or [""])[0], len(arguments)))
    if arguments == ["tag"]:
        print(tag())
    elif command is not None:
        try:
            with held(arguments[1]):
                command(*arguments[1:])
        except subprocess.CalledProcessError as error:
            sys.exit(error.returncode)
    else:
        sys.exit("usage: environment.py tag | sync DIR GROUP | install DIR PROFILE TARGET")


if __name__ == "__main__":
    main(sys.argv[1:])
