"""Transactions on the shadow that the server cancels at their beginning are begun once more."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowRetriableError
from tests.support.syncing import socket_of
from tests.support.tcp_proxy import Moment, TcpProxy, replace

SETTINGS = b"SET TRANSACTION ISOLATION LEVEL READ COMMITTED;"
CANCELLED = replace(SETTINGS, b"SELECT pg_sleep(60);")
LIMIT = "50ms"
MORE_THAN_ARE_TRIED = 6


@pytest.fixture
def proxy(database: str) -> Iterator[TcpProxy]:
    with TcpProxy(socket_of(database)) as opened:
        yield opened


@pytest.fixture
def shadow(proxy: TcpProxy, database: str) -> Iterator[ShadowDatabase]:
    """A shadow in whose sessions somebody has left a short limit for statements."""
    url = (
        f"postgresql://postgres@127.0.0.1:{proxy.port}{urlsplit(database).path}"
        f"?sslmode=disable&gssencmode=disable&options=-cstatement_timeout%3D{LIMIT}"
    )
    with ShadowDatabase.from_url(url) as opened:
        yield opened


def limit_in(shadow: ShadowDatabase) -> str:
    with shadow.transaction() as tx:
        ((limit,),) = tx.run("SELECT current_setting('statement_timeout')")
    return str(limit)


def test_a_transaction_is_begun_again(proxy: TcpProxy, shadow: ShadowDatabase) -> None:
    for nth in (1, 2):
        proxy.at(Moment(SETTINGS, nth), CANCELLED)
    assert (limit_in(shadow), proxy.awaits) == ("0", 0)
    with shadow.trial() as tx:
        tx.run("CREATE TABLE public.tried (id integer)")
    with shadow.transaction() as tx:
        assert tx.run("SELECT to_regclass('public.tried')") == [(None,)]


def test_not_for_ever(proxy: TcpProxy, shadow: ShadowDatabase) -> None:
    for nth in range(1, MORE_THAN_ARE_TRIED):
        proxy.at(Moment(SETTINGS, nth), CANCELLED)
    with pytest.raises(ShadowRetriableError):
        limit_in(shadow)
    assert limit_in(shadow) == "0"


def test_a_connection_that_was_lost_is_an_error(proxy: TcpProxy, shadow: ShadowDatabase) -> None:
    """What answers next may be another server, which lacks what a run has just written."""
    assert limit_in(shadow) == "0"
    proxy.drop_all()
    with pytest.raises(ShadowRetriableError):
        limit_in(shadow)
    assert limit_in(shadow) == "0"
