"""The notifier that posts to an incoming webhook of Mattermost, Slack or the like."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from airflow.sdk import BaseNotifier

from airflow_provider_odoo_shadow.hooks.webhook import webhook_of
from airflow_provider_odoo_shadow.notifications.facts import facts_of
from odoo_shadow.text.log import logger
from odoo_shadow.webhook.address import WebhookError
from odoo_shadow.webhook.message import message, plain
from odoo_shadow.webhook.post import post_or_warn

if TYPE_CHECKING:
    from airflow.sdk import Context
    from jinja2 import Environment

log = logger(__name__)


class OdooShadowNotifier(BaseNotifier):
    """Posts one short message to an incoming webhook, from a callback of any DAG or task, or of a deadline.

    Nothing in the message notifies a person or a channel, or is taken for markup. A webhook that is missing or does
    not answer is a warning in the log; nothing fails.

    :param notify_conn_id: an Airflow connection of type `http`; see the documentation.
    :param text: what to post, a Jinja template; by default which DAG and task it is about, and how it ended.
    """

    template_fields: Sequence[str] = ("text",)

    def __init__(self, notify_conn_id: str, text: str = "", context: Context | None = None) -> None:
        super().__init__(context)
        self.notify_conn_id = notify_conn_id
        self.text = text

    def render_template_fields(self, context: Context, jinja_env: Environment | None = None) -> None:
        """Render the text, if there is one: `dag.test()` gives callbacks a DAG that cannot render."""
        if self.text:
            super().render_template_fields(context, jinja_env)

    def notify(self, context: Context) -> None:
        """Post the message."""
        facts = facts_of(context)
        post_to(self.notify_conn_id, plain(self.text) if self.text else facts.sentence, facts.link)

    async def async_notify(self, context: Context) -> None:
        """Post the message from a thread: on the triggerer, others wait for the event loop."""
        await asyncio.to_thread(self.notify, context)


def post_to(notify_conn_id: str, text: str, link: str = "") -> None:
    """Post a message to the webhook of a connection; what goes wrong is one warning.

    :param text: composed of what `plain` and `name` return and of words of this project.
    """
    try:
        webhook = webhook_of(notify_conn_id)
    except WebhookError as error:
        log.warning("%s", error)
        return
    post_or_warn(webhook, message(text, link))
