"""Which wheels a target can install, and which is best."""

from __future__ import annotations

import platform
import sys
from dataclasses import replace

import pytest
from packaging.tags import sys_tags

from unit.lock.samples import remote, target
from venvpkg.model.tags import best_wheel, publisher_tags, pure_tags


def names(*wheels: str) -> list[str]:
    return [f"demo-1.0-{wheel}.whl" for wheel in wheels]


def chosen(
    *wheels: str, glibc: tuple[int, int] | None = (2, 36), machine: str = "x86_64", accepts: tuple[str, ...] = ()
) -> str | None:
    tags = publisher_tags(replace(target(glibc=glibc, machine=machine), accepts=accepts))
    best = best_wheel([remote(name) for name in names(*wheels)], tags)
    return best.filename.removeprefix("demo-1.0-").removesuffix(".whl") if best else None


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="compares with the interpreter that runs the tests")
def test_tags_are_those_that_packaging_gives_for_the_same_interpreter() -> None:
    major, minor = platform.libc_ver()[1].split(".")[:2]
    here = target(version=sys.version_info[:3], machine=platform.machine(), glibc=(int(major), int(minor)))

    tags = publisher_tags(here)

    musl = {tag for tag in sys_tags() if "musllinux" in tag.platform}
    assert [tag for tag in tags if tag.platform != here.platform_tag] == [tag for tag in sys_tags() if tag not in musl]


def test_tags_for_pypy_are_those_that_packaging_gives_on_it() -> None:
    """As its sys_tags() answers on Debian 12's pypy3, beside manylinux and what is for Python before 3.8."""
    pypy = replace(
        target(version=(3, 9, 16)).interpreter,
        ext_suffix=".pypy39-pp73-x86_64-linux-gnu.so",
        marker_environment={"implementation_name": "pypy"},
    )

    tags = [str(tag) for tag in publisher_tags(replace(target(), interpreter=pypy))]

    platform_tag = target().platform_tag
    few = [tag for tag in tags if "manylinux" not in tag and not tag.endswith(platform_tag)]
    assert few[:4] == [f"{tag}-linux_x86_64" for tag in ("pp39-pypy39_pp73", "pp39-none", "py39-none", "py3-none")]
    assert [tag for tag in few if tag.endswith("-any")][:3] == ["pp3-none-any", "py39-none-any", "py3-none-any"]
    assert tags[0] == f"pp39-pypy39_pp73-{platform_tag}"
    assert not [tag for tag in tags if tag.startswith("cp")]


def test_a_free_threaded_interpreter_takes_neither_the_ordinary_nor_the_stable_abi() -> None:
    free = replace(target(version=(3, 13, 5)).interpreter, ext_suffix=".cpython-313t-x86_64-linux-gnu.so")

    tags = {(tag.interpreter, tag.abi) for tag in publisher_tags(replace(target(), interpreter=free))}

    assert ("cp313", "cp313t") in tags
    assert not {abi for _, abi in tags} & {"cp313", "abi3"}


def test_a_wheel_for_a_newer_glibc_is_not_taken() -> None:
    assert chosen("cp311-cp311-manylinux_2_37_x86_64") is None
    assert chosen("cp311-cp311-manylinux_2_36_x86_64") == "cp311-cp311-manylinux_2_36_x86_64"


def test_the_newest_glibc_that_fits_is_preferred_and_old_names_count() -> None:
    assert chosen("cp311-cp311-manylinux1_x86_64", "cp311-cp311-manylinux2014_x86_64") == (
        "cp311-cp311-manylinux2014_x86_64"
    )


def test_the_own_abi_beats_the_stable_one_which_beats_pure() -> None:
    wheels = ("py3-none-any", "cp39-abi3-manylinux_2_28_x86_64", "cp311-cp311-linux_x86_64")

    assert chosen(*wheels) == "cp311-cp311-linux_x86_64"
    assert chosen(*wheels[:2]) == "cp39-abi3-manylinux_2_28_x86_64"


def test_a_wheel_compiled_for_a_release_serves_that_release_alone_though_it_is_tagged_for_any_linux() -> None:
    exported = "cp311-cp311-linux_x86_64.linux_x86_64_{}"

    assert chosen(exported.format("debian_12")) == exported.format("debian_12")
    assert chosen(exported.format("debian_13")) is None
    assert chosen(exported.format("debian_13"), accepts=("linux_x86_64_debian_13",)) == exported.format("debian_13")
    assert chosen(exported.format("debian_13"), "cp311-cp311-manylinux1_x86_64") == "cp311-cp311-manylinux1_x86_64"


def test_the_highest_build_number_breaks_a_tie() -> None:
    assert chosen("2-py3-none-any", "10-py3-none-any", "py3-none-any") == "10-py3-none-any"


def test_no_manylinux_wheel_fits_where_the_c_library_is_not_glibc() -> None:
    assert chosen("cp311-cp311-manylinux_2_17_x86_64", glibc=None) is None


def test_another_machine_takes_no_x86_wheel_and_no_glibc_older_than_its_first() -> None:
    assert chosen("cp311-cp311-manylinux_2_17_x86_64", machine="aarch64") is None
    assert chosen("cp311-cp311-manylinux_2_12_aarch64", machine="aarch64") is None
    assert chosen("cp311-cp311-manylinux2014_aarch64", machine="aarch64") == "cp311-cp311-manylinux2014_aarch64"


def test_pure_tags_name_neither_a_platform_nor_an_abi() -> None:
    tags = pure_tags(target())

    assert {(tag.abi, tag.platform) for tag in tags} == {("none", "any")}
    assert best_wheel([remote("demo-1.0-py2.py3-none-any.whl")], tags) is not None
