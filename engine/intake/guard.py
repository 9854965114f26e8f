"""What stands between the socket and the calls: who may pass, and that every refusal has the same form."""

from __future__ import annotations

import http
import logging
from typing import Any, Final

from aiohttp import hdrs, web
from aiohttp.web_protocol import RequestHandler
from multidict import CIMultiDict

from engine.clock import Clock
from engine.errors import BrokerError, CommandRefused, EngineError, JournalUnavailable, OrderDenied
from engine.intake.auth import Names, Tokens
from engine.intake.encode import error_answer, refusal_answer
from engine.intake.route import BEGAN_S, HOLDER, Handler

log = logging.getLogger(__name__)

LARGEST_BODY: Final = 1024 * 1024
"""Bytes. The largest signal anybody sends has two thousand."""
_CODES: Final = {
    404: ("NOT_FOUND", "there is no such call; the manual lists all of them"),
    405: ("METHOD_NOT_ALLOWED", "this path does not take this method"),
    413: ("TOO_LARGE", f"the body is larger than {LARGEST_BODY} bytes"),
}


class Guard:
    def __init__(self, tokens: Tokens, names: Names, clock: Clock) -> None:
        self._tokens = tokens
        self._names = names
        self._clock = clock

    @web.middleware
    async def check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        request[BEGAN_S] = self._clock.monotonic_s()
        try:
            self._names.check(request)
            if _is_under_v1(request) or request.match_info.http_exception is None:
                request[HOLDER] = self._tokens.holder_of(request)
            if (request.content_length or 0) > LARGEST_BODY:
                return _framework_answer(413)
            return await handler(request)
        except CommandRefused as error:
            response = refusal_answer(error)
            if error.http_status == http.HTTPStatus.UNAUTHORIZED:
                response.headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
            return response
        except OrderDenied as error:
            return error_answer(409, "DENIED", error.operator_text, reasons=error.reasons)
        except JournalUnavailable as error:
            return error_answer(503, "JOURNAL_UNAVAILABLE", error.operator_text)
        except BrokerError as error:
            return error_answer(502, "BROKER_ERROR", error.operator_text)
        except EngineError as error:
            log.exception("%s %s failed", request.method, request.path)
            return error_answer(500, "INTERNAL", error.operator_text)
        except web.HTTPException as error:
            return _framework_answer(error.status, error.headers)
        except ConnectionError:
            raise  # the reader left: nobody to answer
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            return error_answer(500, "INTERNAL", "the desk failed to answer; its log has the details")


def _is_under_v1(request: web.Request) -> bool:
    return request.path == "/v1" or request.path.startswith("/v1/")


def _framework_answer(status: int, headers: CIMultiDict[str] | None = None) -> web.Response:
    phrase = http.HTTPStatus(status).phrase
    code, text = _CODES.get(status, (phrase.upper().replace(" ", "_"), phrase.lower()))
    response = error_answer(status, code, text)
    if headers is not None and hdrs.ALLOW in headers:
        response.headers[hdrs.ALLOW] = headers[hdrs.ALLOW]
    return response


class _JsonProtocol(RequestHandler):
    """Requests that are no HTTP never reach the application: their refusal gets its form here."""

    def handle_error(
        self,
        request: web.BaseRequest,  # noqa: ARG002 - the overridden method's signature
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        log.debug("answered %d to a request that could not be read: %s", status, exc or message)
        if status == http.HTTPStatus.BAD_REQUEST:
            response = error_answer(400, "BAD_REQUEST", "the request is not HTTP as this server reads it")
        else:
            response = _framework_answer(status)
        response.force_close()
        return response


class _JsonServer(web.Server):
    def __call__(self) -> RequestHandler:
        return _JsonProtocol(self, loop=self._loop, **self._kwargs)


class JsonRunner(web.AppRunner):
    """An application's runner whose own refusals are JSON as well."""

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        options: dict[str, Any] = server._kwargs
        return _JsonServer(server.request_handler, request_factory=server.request_factory, **options)
