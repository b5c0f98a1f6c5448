"""Show an environment chosen distributions of the operating system, and no others.

Copied into environments by venvpkg, where a line of a ``.pth`` file calls ``expose``. Runs alone, on Python >= 3.9, at
every start of the interpreter: nothing is imported until it is asked for. Licence: Apache-2.0.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec, PathFinder

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing takes longer to import than all the rest
    from collections.abc import Iterable, Iterator, Sequence
    from importlib.metadata import Distribution, DistributionFinder
    from types import ModuleType


class SystemFinder:
    """Finds the chosen modules and metadata, after all other finders; it looks where they are now, not where they were.

    ``site`` is the directory that the distributions appear in, ``modules`` are dotted names of modules and packages
    that are exposed with all they hold, ``distributions`` their projects, by normalised name.
    """

    def __init__(
        self, site: str, directories: Iterable[str], modules: Sequence[str], distributions: Iterable[str]
    ) -> None:
        self._site = site
        self._directories = list(directories)
        self._modules = frozenset(modules)
        self._distributions = tuple(distributions)
        # Packages without a file of their own, which distributions share: "zope" for "zope.interface".
        self._namespaces = {name[:end] for name in modules for end in range(len(name)) if name[end] == "."}

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - importlib.abc.MetaPathFinder
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Return what the import system asks for, when it is one of the modules, or a directory that they share."""
        if fullname in self._modules:
            below = fullname.split(".")[:-1]
            return PathFinder.find_spec(fullname, ["/".join([each, *below]) for each in self._directories])
        if fullname in self._namespaces:
            spec = ModuleSpec(fullname, None, is_package=True)
            spec.submodule_search_locations = []
            return spec
        return None

    def find_distributions(self, context: DistributionFinder.Context | None = None) -> Iterator[Distribution]:
        """Yield the distributions, or the one that is meant, to whoever looks into ``site``."""
        from importlib.metadata import DistributionFinder  # noqa: PLC0415 - hardly any program asks

        wanted = getattr(context, "name", None)
        if context is not None and self._site not in context.path:
            return
        for name in self._distributions:
            if wanted is None or _normalised(wanted) == name:
                there = DistributionFinder.Context(name=name, path=self._directories)
                # A package may ship its metadata twice; the first one counts, as for the interpreter itself.
                for found in PathFinder.find_distributions(there):
                    yield found
                    break

    @staticmethod
    def invalidate_caches() -> None:
        """Do nothing: PathFinder, which is asked, keeps the caches."""


def _normalised(name: str) -> str:
    return "-".join(part for part in name.lower().replace("_", "-").replace(".", "-").split("-") if part)


def expose(directories: Iterable[str], modules: Sequence[str], distributions: Iterable[str]) -> None:
    """Add a finder for the modules and distributions in ``directories``, once for each environment."""
    site = __file__.rpartition("/")[0]
    if not any(isinstance(each, SystemFinder) and each._site == site for each in sys.meta_path):  # noqa: SLF001
        sys.meta_path.append(SystemFinder(site, directories, modules, distributions))
