"""What packages require, in the spelling that real releases have for it."""

from __future__ import annotations

import pytest

from rpmdata import RealRelease, el10_python_requires, soname_capability, vendor_wheel_requires

EL10 = RealRelease.el10()
TUMBLEWEED = RealRelease.tumbleweed()

# Sonames that distributions need when compiled on Debian 12: the owners in EL 10 and in Tumbleweed.
OWNERS = {
    "libc.so.6": (("glibc",), "glibc"),
    "libpq.so.5": (("libpq",), "libpq5"),
    "libxml2.so.2": (("libxml2",), "libxml2-2"),
    "libxslt.so.1": (("libxslt",), "libxslt1"),
    "libexslt.so.0": (("libxslt",), "libexslt0"),
    "libffi.so.8": (("libffi",), "libffi8"),
    "libssl.so.3": (("openssl-libs",), "libopenssl3"),
    "libcrypto.so.3": (("openssl-libs",), "libopenssl3"),
    "libcurl.so.4": (("libcurl", "libcurl-minimal"), "libcurl4"),
    "libz.so.1": (("zlib-ng-compat",), "libz1"),
    "libyaml-0.so.2": (("libyaml",), "libyaml-0-2"),
    "libstdc++.so.6": (("libstdc++",), "libstdc++6"),
    "libgcc_s.so.1": (("libgcc",), "libgcc_s1"),
    "libmariadb.so.3": (("mariadb-connector-c",), "libmariadb3"),
    "libodbc.so.2": (("unixODBC",), "libodbc2"),
    "libsystemd.so.0": (("systemd-libs",), "libsystemd0"),
    "libtiff.so.6": (("libtiff",), "libtiff6"),
}


@pytest.mark.parametrize("distribution", sorted(vendor_wheel_requires()))
def test_el_10_has_all_that_a_vendor_wheel_compiled_on_debian_12_requires(distribution: str) -> None:
    assert EL10.missing_prerequisites(vendor_wheel_requires()[distribution]) == ()


@pytest.mark.parametrize("soname", sorted(OWNERS))
def test_a_soname_has_one_spelling_and_many_owners(soname: str) -> None:
    el10, tumbleweed = OWNERS[soname]

    assert EL10.providers[soname_capability(soname)] == el10
    assert tumbleweed in TUMBLEWEED.providers[soname_capability(soname)]


@pytest.mark.parametrize(
    "capability",
    [
        "libldap-2.5.so.0()(64bit)",  # Debian's own soname; EL has libldap.so.2
        "libpq.so.5(RHPG_17)(64bit)",  # a version of EL's own, of a newer PostgreSQL
        "libc.so.6(GLIBC_2.41)(64bit)",  # a newer release's
        "libpq.so.5",  # the spelling of 32-bit objects
        "python(abi) = 3.11",
    ],
)
def test_what_another_release_or_architecture_has_is_not_there(capability: str) -> None:
    assert EL10.missing_prerequisites([capability, "libpq.so.5()(64bit)"]) == (capability,)


@pytest.mark.parametrize("package", ["psycopg2", "lxml", "cffi", "cryptography", "pyyaml", "ldap", "rpm"])
def test_the_owner_of_all_that_a_package_of_the_release_requires_is_known(package: str) -> None:
    requires = el10_python_requires()[f"python3-{package}"]

    assert [each for each in sorted(requires) if not EL10.providers[each]] == []
    assert "python(abi) = 3.12" in requires


def test_a_library_s_own_versions_are_in_the_capability_where_the_release_adds_some() -> None:
    ours = {each for requires in vendor_wheel_requires().values() for each in requires if each.startswith("libpq.")}
    theirs = {each for each in el10_python_requires()["python3-psycopg2"] if each.startswith("libpq.")}

    assert ours == {"libpq.so.5()(64bit)"}
    assert theirs == {"libpq.so.5()(64bit)", "libpq.so.5(RHPG_10)(64bit)", "libpq.so.5(RHPG_9.6)(64bit)"}


def test_older_rpm_releases_spell_as_newer_ones_do() -> None:
    mariner = RealRelease.mariner()

    assert mariner.missing_prerequisites(["libc.so.6()(64bit)", "libc.so.6(GLIBC_2.34)(64bit)", "rtld(GNU_HASH)"]) == ()
    assert mariner.providers["libz.so.1()(64bit)"] == ("zlib",)
