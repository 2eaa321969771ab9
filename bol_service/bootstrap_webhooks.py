"""The part of the composition root that is about webhooks.

Refused at start: a webhook key that is used for anything else, or is not Ed25519. Without a key a
party can look at what it has, and nothing is added or sent.
"""

from __future__ import annotations

from collections.abc import Callable

from bol_service.application.ports import Clock
from bol_service.application.webhook_delivery import Attempted, Delivering, Postman
from bol_service.application.webhooks import Webhooks
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import Signer, open_signer
from bol_service.http.receivers import HttpReceivers
from bol_service.settings import Settings, SettingsError
from bol_service.storage.store import SqlStore
from bol_service.storage.webhook_queue import SqlWebhookQueue
from bol_service.storage.webhooks import SqlWebhooks
from bol_service.wire.webhook_message import public_text


def webhook_signer(settings: Settings, *others: Signer) -> Signer | None:
    """The signer of messages; `others` are all other signers of the platform.

    Raises:
        SettingsError, KeyFileError: Each names the setting at fault.
    """
    if settings.webhook_key is None:
        return None
    signer = open_signer(settings.webhook_key, lambda: settings.passphrase)
    if signer.public.alg is not Algorithm.ED25519:
        raise SettingsError(
            f"BOL_WEBHOOK_KEY is {signer.public.alg}; webhook messages are signed with Ed25519"
        )
    used = {other.public.kid for other in others} | settings.registrar_kids
    if signer.public.kid in used:
        raise SettingsError(
            f"BOL_WEBHOOK_KEY {signer.public.kid} signs as log, statement, witness or registrar "
            "too; make a key of its own for it"
        )
    return signer


def webhooks_of(
    settings: Settings,
    store: SqlStore,
    clock: Clock,
    signer: Signer | None,
    observe: Callable[[Attempted], None],
) -> tuple[Webhooks, Delivering | None]:
    """What parties manage, and, if there is a key to sign with, what delivers."""
    receivers = HttpReceivers(loopback=settings.webhook_loopback and settings.is_demo)
    public = public_text(signer.public) if signer is not None else None
    webhooks = Webhooks(
        book=SqlWebhooks(store), receivers=receivers, clock=clock, public_key=public
    )
    if signer is None:
        return webhooks, None
    queue = SqlWebhookQueue(store)
    postman = Postman(queue, store, receivers, signer, clock, settings.origin, observe=observe)
    return webhooks, Delivering(postman)
