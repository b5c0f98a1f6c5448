"""Call one hook of a build backend. Runs in the sandbox, next to a copy of pyproject_hooks, on Python >= 3.9.

Usage: run_hook.py REQUEST ANSWER. REQUEST is JSON: hook, kwargs, source, backend, backend_path, python. ANSWER becomes
{"value": return value of the hook}. The exit status is 1 if the hook failed; its output says why.
"""

import json
import os
import subprocess  # noqa: TID251
import sys

HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120


def main() -> int:
    """Read the request, call the hook, write the answer."""
    sys.path.insert(0, HERE)  # isolated mode (-I) leaves it out
    from pyproject_hooks import (  # noqa: PLC0415, TID251
        BackendUnavailable,
        BuildBackendHookCaller,
        HookMissing,
        UnsupportedOperation,
    )

    os.umask(0o022)
    os.environ.pop("OLDPWD", None)  # the shell that set up the mounts leaves a path of the driver there
    with open(sys.argv[1], encoding="utf-8") as file:  # noqa: PTH123
        request = json.load(file)
    try:
        caller = BuildBackendHookCaller(
            request["source"],
            request["backend"],
            request["backend_path"] or None,
            python_executable=request["python"],
        )
        value = getattr(caller, request["hook"])(**request["kwargs"])
    except subprocess.CalledProcessError:  # its traceback has already been printed
        return 1
    except BackendUnavailable as error:
        print(error.traceback, file=sys.stderr)  # noqa: T201
        print(f"the build backend {request['backend']} cannot be imported: {error}", file=sys.stderr)  # noqa: T201
        return 1
    except (HookMissing, UnsupportedOperation, ValueError, OSError) as error:
        print(f"the build backend {request['backend']} failed: {error!r}", file=sys.stderr)  # noqa: T201
        return 1
    with open(sys.argv[2], "w", encoding="utf-8") as file:  # noqa: PTH123
        json.dump({"value": value}, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
