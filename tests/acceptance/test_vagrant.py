"""`vagrant up`, for real: a machine of the Vagrantfile builds packages, by itself and for this one, and uses them."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from acceptance.cleanroot import Outcome, codename, default_cache, locked
from acceptance.releases import COMPILERS
from acceptance.smallproject import write_project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from acceptance.cleanroot import CleanRoot
    from acceptance.packages import Venvpkg

pytestmark = pytest.mark.full
VAGRANT = Path(__file__).parents[2] / "vagrant"
MACHINE = codename()
NET = Path("/usr/libexec/lxc/lxc-net")
# Of the builds that are compared: one is in a git checkout, the other is not.
MOMENT = {"SOURCE_DATE_EPOCH": "1767225600"}
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
            "MACHINE_BOX": "venvpkg",
            "MACHINE_ROLE": "build",
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


@pytest.fixture
def from_here(machine: Vagrant, monkeypatch: pytest.MonkeyPatch) -> Vagrant:
    """The machine, for a venvpkg that is not in the directory of the Vagrantfile."""
    for key, value in {**machine.environment, **MOMENT, "VAGRANT_CWD": str(VAGRANT)}.items():
        monkeypatch.setenv(key, value)
    return machine


def build_inside(machine: Vagrant, project: str, out: str) -> Outcome:
    """Build a copy of a project with the venvpkg that is in the machine."""
    index = {key: value for key, value in os.environ.items() if key == "PIP_INDEX_URL"}
    # The box knows this machine's own authorities; uv asks the system's only when it is told to.
    settings = {**index, **MOMENT, "SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt"}
    variables = " ".join(f"{key}={shlex.quote(value)}" for key, value in settings.items())
    return machine.inside(
        f"""
        rm -rf ~/project
        cp -r {project} ~/project
        cd ~/project
        sudo {variables} venvpkg build --out ~/{out} .
        """
    )


@pytest.fixture(scope="module")
def installed(machine: Vagrant) -> Outcome:
    """The guestbook, built in the machine and installed there."""
    built = build_inside(machine, "/vagrant/examples/guestbook", "out")
    assert built.code == 0, built.transcript
    done = machine.inside(
        "sudo DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends ~/out/*.deb >&2"
    )
    assert done.code == 0, done.transcript
    return done


def test_the_guestbook_is_built_and_installed_in_a_machine(machine: Vagrant, installed: Outcome) -> None:
    del installed
    used = machine.inside(
        """
        guestbook --version
        ps -o comm= 1
        sudo dpkg --verify guestbook
        """
    )

    assert used.code == 0, used.transcript
    assert used.stdout.split() == ["guestbook", "1.0.0", "systemd"]


def test_the_guestbook_serves_its_page_from_the_postgresql_of_the_machine(machine: Vagrant, installed: Outcome) -> None:
    del installed
    served = machine.inside(
        """
        sudo DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends postgresql >&2
        systemctl is-active postgresql@*
        sudo useradd --system guestbook
        sudo -u postgres createuser guestbook
        sudo -u postgres createdb --owner guestbook guestbook
        cd /
        sudo -u guestbook guestbook init-db
        sudo systemd-run --quiet --uid=guestbook --unit=page guestbook serve --bind 127.0.0.1:8000
        python3 -I /vagrant/tests/acceptance/guestbook_visitor.py http://127.0.0.1:8000
        sudo systemctl stop page
        """
    )

    assert served.code == 0, served.transcript
    assert "  yes  the page shows the entry\n" in served.stdout, served.transcript


def test_a_package_built_in_a_machine_from_here_is_that_of_a_root(
    from_here: Vagrant, clean_root: CleanRoot, venvpkg: Venvpkg, tmp_path: Path
) -> None:
    project = write_project(tmp_path / "ringbell")
    root = clean_root.of_release(MACHINE, COMPILERS).base
    another = f"--wheelhouse={venvpkg.directory / 'another'}"

    of_machine, _ = venvpkg.built(str(project), f"--target=vagrant:{MACHINE}", out="of-machine")
    of_root, _ = venvpkg.built(str(project), f"--target=root:{root}", "--locked", another, out="of-root")

    assert of_machine.read_bytes() == of_root.read_bytes()
    wait_until(lambda: left_in(from_here) == "")


def test_a_compile_that_reaches_for_the_network_says_so(from_here: Vagrant, venvpkg: Venvpkg, tmp_path: Path) -> None:
    del from_here
    project = write_project(tmp_path / "ringbell")
    (project / "setup.py").write_text(
        "import socket\nfrom setuptools import setup\nsocket.create_connection(('192.0.2.1', 80), 5)\nsetup()\n"
    )

    failed = venvpkg.run("build", str(project), f"--target=vagrant:{MACHINE}", cache_of(venvpkg))

    assert failed.code == 7, failed.transcript
    assert "network" in failed.stderr


def test_a_machine_that_is_not_there_is_told_with_what_to_do(from_here: Vagrant, venvpkg: Venvpkg) -> None:
    del from_here

    unmade = venvpkg.run("doctor", "--target=vagrant:jammy")
    unknown = venvpkg.run("doctor", "--target=vagrant:nonesuch")

    assert (unmade.code, unknown.code) == (3, 3)
    assert "the machine is not created" in unmade.stderr
    assert "vagrant up jammy" in unmade.stderr
    assert "no machine of this name" in unknown.stderr


def test_a_build_that_is_killed_leaves_nothing_in_the_machine(
    from_here: Vagrant, venvpkg: Venvpkg, tmp_path: Path
) -> None:
    project = write_project(tmp_path / "ringbell")
    (project / "setup.py").write_text("import time\nfrom setuptools import setup\ntime.sleep(3600)\nsetup()\n")
    with subprocess.Popen(
        [venvpkg.program, "build", project, f"--target=vagrant:{MACHINE}", cache_of(venvpkg)],
        cwd=tmp_path,
    ) as build:
        wait_until(lambda: "_in_process" in left_in(from_here))

        build.kill()

    wait_until(lambda: left_in(from_here) == "")


def cache_of(venvpkg: Venvpkg) -> str:
    """Return the option for the one cache of these tests: a copy of the machine's filesystem takes its time."""
    return f"--cache={venvpkg.directory / 'cache'}"


def left_in(machine: Vagrant) -> str:
    """Return directories, mounts and processes of venvpkg's that are in the machine."""
    found = machine.inside(
        """
        sudo find /var/tmp -maxdepth 1 -name 'venvpkg-*'
        grep venvpkg /proc/self/mounts || true
        pgrep -af '[n]senter|[_]in_process' || true
        """
    )
    assert found.code == 0, found.transcript
    return found.stdout


def wait_until(holds: Callable[[], bool], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it took too long"
