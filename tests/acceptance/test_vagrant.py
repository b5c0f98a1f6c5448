"""`vagrant up`, for real: a machine of the Vagrantfile that builds the guestbook's package and installs it."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from acceptance.cleanroot import Outcome, codename, default_cache, locked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from acceptance.cleanroot import CleanRoot

pytestmark = pytest.mark.full
VAGRANT = Path(__file__).parents[2] / "vagrant"
MACHINE = codename()
NET = Path("/usr/libexec/lxc/lxc-net")
TOOLS = ("vagrant", "lxc-start", "dnsmasq", "rsync", "mmdebstrap")


@dataclass(frozen=True, slots=True)
class Vagrant:
    """The command, with a home of its own."""

    environment: Mapping[str, str]

    def run(self, *arguments: str, timeout_s: float = 1800) -> Outcome:
        done = subprocess.run(
            ["vagrant", *arguments],
            cwd=VAGRANT,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def inside(self, script: str) -> Outcome:
        """Run a script on the machine as Vagrant's user."""
        return self.run("ssh", MACHINE, "--command", f"set -e\n{script}")


@pytest.fixture(scope="module")
def network(clean_root: CleanRoot) -> Iterator[None]:
    """Start the bridge that containers of lxc are on, where it is not there yet."""
    del clean_root
    missing = [tool for tool in TOOLS if shutil.which(tool, path=f"{os.environ['PATH']}:/usr/sbin") is None]
    if missing or not NET.exists():
        pytest.skip(f"not installed: {', '.join(missing) or NET}; tests/full installs vagrant-lxc and what it needs")
    was_there = Path("/sys/class/net/lxcbr0").exists()
    if not was_there:
        subprocess.run([NET, "start"], check=True)
    yield
    if not was_there:
        subprocess.run([NET, "stop"], check=False)


@pytest.fixture(scope="module")
def box(network: None) -> Path:
    """A box of this machine's release, made once and kept."""
    del network
    recipe = hashlib.sha256((VAGRANT / "make-lxc-box").read_bytes()).hexdigest()[:12]
    kept = default_cache() / f"{MACHINE}-{recipe}.box"
    with locked(kept.with_suffix(".lock")):
        if not kept.exists():
            made = subprocess.run(
                [VAGRANT / "make-lxc-box", MACHINE, kept], capture_output=True, text=True, check=False
            )
            assert made.returncode == 0, made.stderr
    return kept


@pytest.fixture(scope="module")
def machine(box: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vagrant]:
    """A machine that is up and ready to build; destroyed at the end."""
    home = tmp_path_factory.mktemp("vagrant")
    vagrant = Vagrant(
        {
            "VAGRANT_HOME": str(home / "home"),
            "VAGRANT_DOTFILE_PATH": str(home / "state"),
            "VAGRANT_CHECKPOINT_DISABLE": "1",
            "VENVPKG_BOX": "venvpkg",
            "VENVPKG_ROLE": "build",
        }
    )
    added = vagrant.run("box", "add", "--name", f"venvpkg/{MACHINE}", "--provider", "lxc", str(box))
    assert added.code == 0, added.transcript
    try:
        up = vagrant.run("up", MACHINE, "--provider=lxc")
        assert up.code == 0, up.transcript
        yield vagrant
    finally:
        vagrant.run("destroy", "--force", MACHINE)


def test_the_guestbook_is_built_and_installed_in_a_machine(machine: Vagrant) -> None:
    index = {key: value for key, value in os.environ.items() if key == "PIP_INDEX_URL"}
    # The box knows this machine's own authorities; uv asks the system's only when it is told to.
    settings = {**index, "SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt"}
    variables = " ".join(f"{key}={shlex.quote(value)}" for key, value in settings.items())

    built = machine.inside(
        f"""
        cp -r /vagrant/examples/guestbook ~/guestbook
        cd ~/guestbook
        rm -f pylock.toml venvpkg.lock
        sudo {variables} venvpkg build --out ~/out .
        """
    )
    assert built.code == 0, built.transcript
    used = machine.inside(
        """
        sudo DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends ~/out/*.deb >&2
        guestbook --version
        ps -o comm= 1
        sudo dpkg --verify guestbook
        """
    )
    assert used.code == 0, used.transcript
    assert used.stdout.split() == ["guestbook", "1.0.0", "systemd"]
