"""With strict, no lowest version is a guess."""

from __future__ import annotations

import pytest

from venvpkg.depends.derive import require_known_floors
from venvpkg.errors import UnknownAbiError
from venvpkg.model.depends import Dependency, DependencySet, Evidence, Source


def needing(*libraries: tuple[str, Source]) -> DependencySet:
    return DependencySet(
        tuple(
            Dependency(f"{soname}-package", (Evidence(source=source, soname=soname, owner=f"{soname}-package:amd64"),))
            for soname, source in libraries
        )
    )


def test_what_a_package_tells_of_its_library_is_no_guess() -> None:
    require_known_floors(needing(("libssl.so.3", Source.SYMBOLS), ("libz.so.1", Source.SHLIBS)))


def test_every_library_whose_package_tells_nothing_is_named_at_once() -> None:
    with pytest.raises(UnknownAbiError) as caught:
        require_known_floors(
            needing(("libb.so.1", Source.OWNER), ("libc.so.6", Source.SYMBOLS), ("liba", Source.OWNER))
        )

    assert caught.value.brief == "the packages of 2 needed libraries declare nothing about their ABI."
    assert caught.value.details == "  liba, of liba-package:amd64\n  libb.so.1, of libb.so.1-package:amd64"
