"""How many jobs run at once: cores and memory, and no more than the control group has of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from venvpkg.wheelbuild.pool import capacity, default_jobs, jobs_within

if TYPE_CHECKING:
    from pathlib import Path

GIB = 1 << 30


@pytest.mark.parametrize(
    ("cores", "memory", "jobs"),
    [(8, 64 * GIB, 8), (8, 3 * GIB, 3), (8, GIB // 2, 1), (0.5, 64 * GIB, 1), (2.5, 64 * GIB, 2)],
)
def test_a_job_gets_a_core_and_a_gib_and_there_is_always_one(cores: float, memory: int, jobs: int) -> None:
    assert jobs_within(cores, memory) == jobs


def machine(directory: Path, group: str = "0::/build/job\n", **files: str) -> tuple[Path, Path, Path]:
    """Write what the kernel says; ``files`` are those of control groups, ``build__cpu_max`` is ``build/cpu.max``."""
    (directory / "meminfo").write_text("MemTotal:  67108864 kB\nMemAvailable:   33554432 kB\n")
    (directory / "cgroup").write_text(group)
    for name, text in files.items():
        path = directory / "groups" / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return directory / "meminfo", directory / "cgroup", directory / "groups"


def test_a_machine_without_limits_gives_all_that_it_has(tmp_path: Path) -> None:
    assert capacity(4, *machine(tmp_path)) == (4, 32 * GIB)


def test_the_tightest_limit_of_the_group_and_those_above_it_holds(tmp_path: Path) -> None:
    files = machine(
        tmp_path,
        build__cpu_max="150000 100000\n",
        build__job__cpu_max="max 100000\n",
        build__memory_max=f"{8 * GIB}\n",
        build__memory_current=f"{3 * GIB}\n",
        build__memory_stat=f"anon {GIB}\ninactive_file {GIB}\n",
    )

    assert capacity(4, *files) == (1.5, 6 * GIB)


@pytest.mark.parametrize("group", ["", "0::/../../etc\n", "7:cpu:/old\n", "0::nonsense\n"])
def test_a_group_that_cannot_be_told_limits_nothing(tmp_path: Path, group: str) -> None:
    assert capacity(4, *machine(tmp_path, group, cpu_max="100000 100000\n"))[1] == 32 * GIB


@pytest.mark.parametrize("text", ["", "nonsense", "100000 0", "-1 100000", "1 2 3"])
def test_a_malformed_quota_limits_nothing(tmp_path: Path, text: str) -> None:
    assert capacity(4, *machine(tmp_path, build__job__cpu_max=text))[0] == 4


def test_this_machine_gives_at_least_one() -> None:
    assert default_jobs() >= 1


def test_no_meminfo_is_no_limit(tmp_path: Path) -> None:
    absent = tmp_path / "absent"

    assert jobs_within(*capacity(3, absent, absent, absent)) == 3
