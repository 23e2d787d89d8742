"""What went wrong on the way to Odoo and back, in a sentence that says how far the call got.

"Cannot be reached" is said only of servers that accepted no connection. A server that accepted one and then closed it,
or answered something other than HTTP, is there: the thing to check is the worker's log, a proxy, or the scheme.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import ssl
from collections.abc import Iterator
from http.client import BadStatusLine, HTTPException, RemoteDisconnected, UnknownProtocol
from typing import TypeVar

import requests
from urllib3.exceptions import IncompleteRead, ReadTimeoutError
from urllib3.exceptions import InvalidHeader as OddHeader

from odoo_shadow.source.api.connection import OdooConnection
from odoo_shadow.source.api.wire import Budget, CutHeadersError, Stage
from odoo_shadow.source.errors import (
    OdooConfigurationError,
    OdooError,
    OdooServerError,
    OdooTimeoutError,
    OdooUnreachableError,
)
from odoo_shadow.text.shown import shown

Cause = TypeVar("Cause", bound=BaseException)

_CHECK_LOGS = "check the logs of the Odoo worker and of any proxy in front of it"
_NO_TLS = "check that this port speaks https, or use http"
_CUT_HEADERS = f"broke off within the headers of an answer: {_CHECK_LOGS}"
_WANTS_HTTPS = "expects https at that port, but was called with http: put https into the URL"
_UNTRUSTED = (
    "the server's certificate is not trusted; set verify to a CA file that knows it, or to false for a test server"
)
_LONGEST_LINE = 60
_LONGEST_REASON = 80

_TUNNEL_REFUSED = re.compile(r"Tunnel connection failed: ([0-9]{3})\b")
_NO_WAY = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL)
_TLS_ALERT = "\x15\x03"
# OpenSSL's names for its errors about bytes that are not TLS, and about a CA file.
_NOT_TLS = (
    "WRONG_VERSION_NUMBER",
    "HTTP_REQUEST",
    "RECORD_LAYER_FAILURE",
    "PACKET_LENGTH_TOO_LONG",
    "UNKNOWN_PROTOCOL",
)
_NO_CA_FILE = ("NO_CERTIFICATE_OR_CRL_FOUND", "PEM_LIB", "NO_START_LINE")

# What OpenSSL finds wrong with a certificate (X509_V_ERR_…).
_CERTIFICATE = {
    9: "the server's certificate is not valid yet: check this machine's clock, and the certificate",
    10: "the server's certificate has expired: renew it",
    62: "the server's certificate is for another host name: use a name that it covers in the URL",
    64: "the server's certificate does not cover this IP address: use the host name that it covers in the URL",
}

# What servers answer to plain HTTP at a TLS port: nginx, Apache, programs in Go.
_WANTS_TLS = (
    b"plain HTTP request was sent to HTTPS port",
    b"speaking plain HTTP to an SSL-enabled server port",
    b"Client sent an HTTP request to an HTTPS server",
)
_START = 4_096


def network_error(connection: OdooConnection, error: Exception, budget: Budget, connect_timeout: float) -> OdooError:
    """Build the error for a call that brought no whole HTTP answer.

    :param connect_timeout: seconds that a connection, and then its TLS handshake, may take.
    """
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
        return OdooConfigurationError(f"{connection}: the URL is not valid; correct {connection.setting('host')}.")
    if isinstance(error, requests.exceptions.SSLError):
        refused = _tls_refused(error, budget.stage)
        if refused:
            return OdooConfigurationError(f"{connection}{refused}.")
    if budget.is_late or _is_timeout(error):
        return OdooTimeoutError(f"{connection} {_too_late(connection, error, budget, connect_timeout)}.")
    if isinstance(error, OSError) and not isinstance(error, requests.RequestException):
        return OdooConfigurationError(f"{connection}: {error.strerror or 'cannot read the CA file'}: see verify.")
    if _cause(error, CutHeadersError) and budget.stage is Stage.ANSWERING:
        return OdooServerError(f"{connection} {_CUT_HEADERS}.")
    return OdooUnreachableError(f"{connection} {_broken(connection, error, budget)}.")


def damaged(connection: OdooConnection) -> OdooUnreachableError:
    """Build the error for a compressed answer that does not decompress to its end."""
    return OdooUnreachableError(f"{connection} sent a compressed answer that is damaged or incomplete: {_CHECK_LOGS}.")


def wants_tls(connection: OdooConnection, status: int, body: bytes) -> OdooServerError | None:
    """Build the error for a server that says in plain HTTP that it wants TLS; None for all other answers."""
    if status != 400 or not any(words in body[:_START] for words in _WANTS_TLS):
        return None
    return OdooServerError(f"{connection} {_WANTS_HTTPS}.")


def _broken(connection: OdooConnection, error: Exception, budget: Budget) -> str:
    """Return what happened to a connection: the sentence after the connection's name."""
    stage = budget.stage
    if stage is Stage.CONNECTING and not _cause(error, ConnectionResetError):
        return _not_reached(error)
    if stage is Stage.ASKING_PROXY:
        return _proxy_refused(error)
    how = "closed it" if _cause(error, RemoteDisconnected) else "broke it off" if _is_tls(error) else "reset it"
    if stage is Stage.CONNECTING and connection.url.startswith("https"):
        return f"accepted the connection and {how} during the TLS handshake: {_NO_TLS}"
    if stage in (Stage.CONNECTING, Stage.CONNECTED):
        scheme = "" if connection.url.startswith("https") else ", and that this port does not expect https"
        return f"accepted the connection and {how} without an answer: {_CHECK_LOGS}{scheme}"
    if _cause(error, OddHeader):
        return f"answered with contradictory headers: {_CHECK_LOGS}"
    if stage is Stage.ANSWERING:
        return _no_http(error)
    if not budget.has_ended and not _cause(error, OSError):  # urllib3 gave up reading, with the connection whole
        return f"sent a chunked answer that is not valid HTTP: {_CHECK_LOGS}"
    cut = _cause(error, IncompleteRead)
    after = f", after {cut.partial:,} bytes" if cut and isinstance(cut.partial, int) and cut.partial else ""
    return f"broke off in the middle of an answer{after}: {_CHECK_LOGS}"


def _not_reached(error: Exception) -> str:
    if isinstance(error, requests.exceptions.ProxyError):
        return _not_through_proxy("it accepts no connection")
    if _cause(error, socket.gaierror):
        return "cannot be reached, because its host name cannot be resolved: check the URL, and this machine's DNS"
    if _cause(error, ConnectionRefusedError):
        return (
            "cannot be reached, because the connection was refused: "
            "check the URL and the port, and that Odoo is running there"
        )
    code = next((item.errno for item in _causes(error) if isinstance(item, OSError) and item.errno), None)
    if code in _NO_WAY:
        return f"cannot be reached from this machine ({os.strerror(code)}): check the URL, and the network in between"
    why = f" ({os.strerror(code)})" if code else ""
    return f"cannot be reached{why}: check the URL and the port, and that this machine may connect to it"


def _proxy_refused(error: Exception) -> str:
    found = next((found for item in _causes(error) if (found := _TUNNEL_REFUSED.search(str(item)))), None)
    return _not_through_proxy(
        f"it refused to connect onwards (HTTP {found[1]})" if found else "it broke off, or did not answer in HTTP"
    )


def _not_through_proxy(why: str) -> str:
    return (
        "cannot be reached through the proxy that the environment names (https_proxy, http_proxy, all_proxy): "
        f"{why}; check it, or add the host to no_proxy"
    )


def _no_http(error: Exception) -> str:
    """Return what came in the place of an answer's headers."""
    odd = _cause(error, BadStatusLine) or _cause(error, UnknownProtocol)
    if odd is None and _cause(error, HTTPException):
        return f"answered with more or longer headers than HTTP clients accept: {_CHECK_LOGS}"
    line = str(odd.args[0]) if odd is not None and odd.args else ""
    if line.startswith(_TLS_ALERT):
        return _WANTS_HTTPS
    if odd is None or ("HTTP/".startswith(line[:5]) and not line.endswith("\n")):
        return _CUT_HEADERS
    return f"answered with something that is not HTTP ('{shown(line.strip(), longest=_LONGEST_LINE)}'): check the port"


def _too_late(connection: OdooConnection, error: Exception, budget: Budget, connect_timeout: float) -> str:
    smaller = "try smaller pages, or a longer timeout"
    if budget.is_late:
        return f"did not complete its answer within {budget.seconds:g} s: {smaller}"
    if budget.stage is Stage.ASKING_PROXY:
        return _not_through_proxy(f"it did not answer within {connect_timeout:g} s")
    if budget.stage is Stage.CONNECTING and _cause(error, ReadTimeoutError):
        return (
            f"accepted the connection, but did not complete the TLS handshake within {connect_timeout:g} s: {_NO_TLS}"
        )
    if budget.stage is Stage.CONNECTING:
        return (
            f"cannot be reached, because no connection was established within {connect_timeout:g} s: "
            "check the URL and the port, and whether a firewall is in the way"
        )
    if budget.stage is Stage.CONNECTED:
        return f"did not answer within {connection.timeout:g} s: {smaller}"
    return f"began to answer, then sent nothing for {connection.timeout:g} s: {smaller}"


def _tls_refused(error: Exception, stage: Stage) -> str | None:
    """Return why TLS failed, after the connection's name; None when TLS was established and the connection broke."""
    examined = _cause(error, ssl.SSLCertVerificationError)
    if examined is not None:
        return f": {_CERTIFICATE.get(examined.verify_code, _UNTRUSTED)}"
    found = _cause(error, ssl.SSLError)
    reason = shown(getattr(found, "reason", None) or "no reason given", longest=_LONGEST_REASON)
    if "ALERT" in reason:
        return (
            f" ended the TLS handshake ({reason}): it may require a client certificate, which is not supported, "
            "or another version of TLS"
        )
    if stage is not Stage.CONNECTING:
        return None
    if any(word in reason for word in _NOT_TLS):
        return " does not speak TLS there: use http, or the port of https"
    if isinstance(found, ssl.SSLEOFError):
        return f" accepted the connection and closed it during the TLS handshake: {_NO_TLS}"
    if any(word in reason for word in _NO_CA_FILE):
        return f": the CA file holds no readable certificate ({reason}): correct verify"
    return f" and this machine cannot agree on TLS ({reason}): update whichever is older"


def _is_tls(error: BaseException) -> bool:
    return _cause(error, ssl.SSLError) is not None


def _is_timeout(error: BaseException) -> bool:
    timeouts = (requests.exceptions.Timeout, ReadTimeoutError, TimeoutError)
    return any(isinstance(item, timeouts) for item in _causes(error))


def _cause(error: BaseException, kind: type[Cause]) -> Cause | None:
    return next((item for item in _causes(error) if isinstance(item, kind)), None)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Return an error and all that it wraps; requests and urllib3 do so in several ways."""
    seen: set[int] = set()
    left = [error]
    while left:
        item = left.pop(0)
        if id(item) in seen:
            continue
        seen.add(id(item))
        yield item
        inner = (*item.args, getattr(item, "reason", None), item.__cause__, item.__context__)
        left += [one for one in inner if isinstance(one, BaseException)]
