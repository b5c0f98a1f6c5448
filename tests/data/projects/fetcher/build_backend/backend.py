"""A build backend that wants a file from the network, as setup.py scripts with models, fonts or sources do."""

import urllib.request


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    with urllib.request.urlopen("https://files.example.org/model.bin") as answer:
        raise SystemExit(f"the network answered {answer.status}")
