"""gunicorn, in process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gunicorn.app.base import BaseApplication

if TYPE_CHECKING:
    from flask import Flask


class Server(BaseApplication):
    """Serves ``app`` on ``bind`` (``ADDRESS:PORT`` or ``unix:PATH``) until SIGTERM."""

    def __init__(self, app: Flask, *, bind: str, workers: int) -> None:
        self._app = app
        self._settings = {
            "bind": bind,
            "workers": workers,
            "worker_class": "gthread",
            "threads": 4,
            "accesslog": "-",
            "proc_name": "guestbook",
            "control_socket_disable": True,  # gunicorn >= 25 would make one in the home directory
        }
        super().__init__()

    def load_config(self) -> None:
        """Give gunicorn the settings it knows; no file and no variable of gunicorn's own is read."""
        for name, value in self._settings.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:  # type: ignore[override]  # the stubs know functions only
        """Return the WSGI application."""
        return self._app
