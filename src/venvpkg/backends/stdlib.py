"""What imports of parts of the standard library come to, where the release has those in packages of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.depends.derive import Claim
from venvpkg.model.depends import Dependency, Evidence, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import PurePosixPath

    from venvpkg.console import Report
    from venvpkg.depends.stdlib import Use


def module_claims(
    uses: Iterable[Use], packages: Mapping[str, str | None], report: Report
) -> tuple[tuple[Claim, ...], tuple[Dependency, ...]]:
    """Return what imports make the package depend on, and what they make it recommend; see ``depends.stdlib``.

    Args:
        uses: where the payload imports what.
        packages: import → the package that has it; None for what comes with the interpreter.
        report: hears of imports that cause nothing.
    """
    # One reason a file will do: `from tkinter import *` spelled out has fifty.
    reasons: dict[tuple[str, PurePosixPath], Use] = {}
    for use in sorted(uses, key=lambda each: (not each.always, each)):
        if package := packages.get(use.imported):
            reasons.setdefault((package, use.path), use)
    strong: dict[str, list[Evidence]] = {}
    weak: dict[str, list[Evidence]] = {}
    for (package, path), use in sorted(reasons.items(), key=lambda item: item[0]):
        if use.always or use.own:
            evidence = Evidence(Source.IMPORT, needed_by=path, distribution=use.distribution, module=use.imported)
            (strong if use.always else weak).setdefault(package, []).append(evidence)
        else:
            report.detail(f"{path} imports {use.imported} of {package}: no command always loads that module")
    claims = tuple(Claim(package, each) for package, evidence in strong.items() for each in evidence)
    return claims, tuple(
        Dependency(package, tuple(evidence)) for package, evidence in sorted(weak.items()) if package not in strong
    )


def recommended(recommendation: Dependency) -> str:
    """Return what the user should know of a recommendation."""
    modules = sorted({f"{each.module} in {each.needed_by}" for each in recommendation.evidence})
    return (
        f"{recommendation.relation} is recommended, for {', '.join(modules)}: not all of the application needs it."
        f" '{recommendation.relation}' in depends makes it a dependency, '!{recommendation.relation}' leaves it out"
    )
