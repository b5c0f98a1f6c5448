"""The smallest build backend that compiles: it needs no index, and misbehaves as ``[tool.tally]`` asks.

Keys: ``metadata`` (text added to METADATA's header), ``link`` (arguments for the linker), ``pause`` (argument of a
sleep(1) before the compile), ``damage`` (how many bytes of the extension are left).
"""

import base64
import hashlib
import subprocess
import sysconfig
import tomllib
import zipfile
from pathlib import Path

WHEEL = "Wheel-Version: 1.0\nGenerator: tally\nRoot-Is-Purelib: false\nTag: {}\n"


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    document = tomllib.loads(Path("pyproject.toml").read_text())
    project, options = document["project"], document.get("tool", {}).get("tally", {})
    if "pause" in options:
        subprocess.run(["sleep", options["pause"]], check=True)
    version = "".join(map(str, __import__("sys").version_info[:2]))
    tag = f"cp{version}-cp{version}-linux_x86_64"
    info = f"tally-{project['version']}.dist-info"
    extension = compiled(options.get("link", []))
    members = {
        "tally/__init__.py": Path("src/tally/__init__.py").read_bytes(),
        f"tally/_tally{sysconfig.get_config_var('EXT_SUFFIX')}": extension[: options.get("damage")],
        f"{info}/METADATA": metadata(project, options.get("metadata", "")).encode(),
        f"{info}/WHEEL": WHEEL.format(tag).encode(),
        f"{info}/entry_points.txt": b"[console_scripts]\ntally = tally:main\n",
    }
    members[f"{info}/RECORD"] = record(members, f"{info}/RECORD")
    name = f"tally-{project['version']}-{tag}.whl"
    with zipfile.ZipFile(Path(wheel_directory, name), "w") as wheel:
        for path, content in members.items():
            wheel.writestr(path, content)
    return name


def compiled(link):
    include = sysconfig.get_path("include")
    command = ["gcc", "-O2", "-shared", "-fPIC", f"-I{include}", "src/tally/_tally.c", "-o", "_tally.so", *link]
    subprocess.run(command, check=True)
    return Path("_tally.so").read_bytes()


def metadata(project, more):
    (author,) = project["authors"]
    requires = "".join(f"Requires-Dist: {each}\n" for each in project.get("dependencies", []))
    return (
        f"Metadata-Version: 2.4\nName: tally\nVersion: {project['version']}\nSummary: {project['description']}\n"
        f"Author-email: {author['name']} <{author['email']}>\n{requires}{more}\n"
    )


def record(members, itself):
    lines = [f"{path},sha256={digest(content)},{len(content)}\n" for path, content in members.items()]
    return "".join([*lines, f"{itself},,\n"]).encode()


def digest(content):
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
