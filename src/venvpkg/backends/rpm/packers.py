"""What writes the bytes of a package, beside venvpkg itself: rpm, the compressors, the interpreter's compiler."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from venvpkg.backends.rpm.owners import versions_providing

if TYPE_CHECKING:
    from venvpkg.host.runner import Runner
    from venvpkg.model.target import Target

# By the names that Fedora and its kin, and SUSE, have for them; those that are not installed are left out. libmagic
# says what each file is, and rpmbuild writes it down.
_PACKERS: Final = (
    "rpm", "rpm-build", "rpm-libs", "file-libs", "file-magic", "libmagic1", "xz-libs", "liblzma5", "libzstd",
    "libzstd1", "python3-libs",
)  # fmt: skip


def packers(target: Target, runner: Runner) -> tuple[tuple[str, str], ...]:
    """Return name and version of the installed packages that pack and compile bytecode; sorted by name."""
    found = versions_providing((*_PACKERS, str(target.interpreter.path)), runner)
    return tuple(sorted(found.items()))
