"""The web application, over any Store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, Response, abort, current_app, make_response, redirect, render_template, request, url_for

from guestbook.entries import MESSAGE_MAX, NAME_MAX, PAGE_SIZE, Draft, StoreError, draft
from guestbook.feed import MEDIA_TYPE, atom_feed

if TYPE_CHECKING:
    from werkzeug.exceptions import HTTPException
    from werkzeug.wrappers import Response as BaseResponse

    from guestbook.entries import Store

REQUEST_MAX_BYTES = 64 * 1024
PAGE_MAX = 100_000

# Everything on the page is ours: no script, no frame, nothing from elsewhere.
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def create_app(store: Store) -> Flask:
    """Return the WSGI application that shows and extends what is in ``store``."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = REQUEST_MAX_BYTES
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True

    def page(filled: Draft, number: int = 1) -> str:
        found = store.newest(PAGE_SIZE + 1, (number - 1) * PAGE_SIZE)
        return render_template(
            "page.html",
            entries=found[:PAGE_SIZE],
            draft=filled,
            number=number,
            has_older=len(found) > PAGE_SIZE,
            name_max=NAME_MAX,
            message_max=MESSAGE_MAX,
        )

    @app.get("/")
    def read() -> str:
        text = request.args.get("page", "1")
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= PAGE_MAX):
            abort(404)
        return page(Draft(), int(text))

    @app.post("/")
    def sign() -> BaseResponse | tuple[str, int]:
        filled = draft(request.form.get("name", ""), request.form.get("message", ""))
        if filled.problems:
            return page(filled), 422
        entry = store.sign(filled.name, filled.message)
        return redirect(url_for("read", _anchor=f"entry-{entry.uid}"), 303)

    @app.get("/feed.atom")
    def feed() -> Response:
        document = atom_feed(
            store.newest(PAGE_SIZE),
            page_url=url_for("read", _external=True),
            feed_url=url_for("feed", _external=True),
        )
        response = Response(document, content_type=f"{MEDIA_TYPE}; charset=utf-8")
        response.add_etag()
        response.make_conditional(request)
        return response

    @app.get("/healthz")
    def healthz() -> Response:
        store.check()
        return Response("ok\n", content_type="text/plain; charset=utf-8")

    app.register_error_handler(StoreError, _unavailable)
    for status in (404, 405, 413, 500):
        app.register_error_handler(status, _failed)
    app.after_request(_secured)
    return app


def _unavailable(error: StoreError) -> Response:
    # The administrator reads why in the log; a visitor need not know the database's address.
    current_app.logger.error("%s", error)
    text = render_template("problem.html", title="Back soon", text="The guestbook cannot be opened at the moment.")
    response = make_response(text, 503)
    response.headers["Retry-After"] = "30"
    return response


def _failed(error: HTTPException) -> tuple[str, int]:
    title, text = {
        404: ("Not here", "There is no such page."),
        405: ("Not like that", "This page does not take such a request."),
        413: ("Too long", "That is more than a guestbook can take."),
    }.get(error.code or 500, ("Something broke", "This is our fault. The administrator can find it in the log."))
    return render_template("problem.html", title=title, text=text), error.code or 500


def _secured(response: Response) -> Response:
    response.headers.extend(SECURITY_HEADERS)
    return response
