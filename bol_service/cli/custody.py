"""`bol custody`: who keeps the cargo signs where each container is.

One event per container; several `--container` give several events, each on its own stream. The time
is that of the fact, not of the signature; the local date is the date at the place, in the zone of
`--utc-offset`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timezone
from functools import wraps
from typing import Any

import click

from bol_service.cli import parameters
from bol_service.cli.output import F, Stopped
from bol_service.cli.signing import Desk, Intent, signing
from bol_service.cli.words import ACTIONS, english
from bol_service.domain.events import Action
from bol_service.wire.event_fields import instant_text

Json = dict[str, Any]


@click.group()
def custody() -> None:
    """Sign where each container is. 集装箱保管"""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a custody event states, for each of its containers."""

    shipment: str
    containers: tuple[str, ...]
    occurred: datetime
    local_date: date
    seals: Mapping[str, list[str]]
    remarks: str | None

    def sign(self, desk: Desk, action: Action, more: Json) -> None:
        """Sign `action` for every container; `more` are the further details of all of them."""
        desk.sign(*(self.intent(action, box, more) for box in self.containers))

    def intent(self, action: Action, container: str, more: Json) -> Intent:
        details: Json = {
            "occurredAt": instant_text(self.occurred),
            "localDate": self.local_date.isoformat(),
            **more,
        }
        if container in self.seals:
            details["seals"] = self.seals[container]
        if self.remarks is not None:
            details["remarks"] = self.remarks
        return Intent(
            action=action,
            stream=f"custody:{self.shipment}:{container}",
            details=details,
            words=f"{container}: {english(ACTIONS, action)} at {details['occurredAt']}, local date "
            f"{details['localDate']}.",
        )


def _custody(command: F) -> Callable[..., Any]:
    """A custody command: its arguments are the desk and the `Facts`."""

    @click.option("--shipment", required=True, type=parameters.uuid, help="Its UUID.")
    @click.option(
        "--container",
        "containers",
        required=True,
        multiple=True,
        type=parameters.container,
        help="Which container; may be given several times.",
    )
    @click.option("--occurred-at", type=parameters.time, help="When it happened; now if not given.")
    @click.option("--local-date", type=parameters.day, help="Date at the place, if it differs.")
    @click.option(
        "--utc-offset",
        type=parameters.offset,
        default="+08:00",
        show_default=True,
        help="Zone of the place.",
    )
    @click.option(
        "--seal",
        "seals",
        multiple=True,
        metavar="[CONTAINER=]SEAL",
        help="A seal as read on the box; may be given several times.",
    )
    @click.option("--remarks", help="What else was seen.")
    @signing
    @wraps(command)
    def run(
        desk: Desk,
        *,
        shipment: str,
        containers: tuple[str, ...],
        occurred_at: datetime | None,
        local_date: date | None,
        utc_offset: timezone,
        seals: tuple[str, ...],
        remarks: str | None,
        **options: Any,
    ) -> Any:
        occurred = occurred_at or datetime.now(UTC)
        if occurred.tzinfo is None:
            occurred = occurred.replace(tzinfo=utc_offset)
        stated = Facts(
            shipment=shipment,
            containers=containers,
            occurred=occurred,
            local_date=local_date or occurred.astimezone(utc_offset).date(),
            seals=_seals(seals, containers),
            remarks=remarks,
        )
        return command(desk, stated, **options)

    return run


def _seals(texts: tuple[str, ...], containers: tuple[str, ...]) -> dict[str, list[str]]:
    seals: dict[str, list[str]] = {}
    for text in texts:
        box, equals, seal = text.partition("=")
        if not equals:
            box, seal = containers[0], text
            if len(containers) > 1:
                raise click.UsageError(
                    f"--seal {text}: there are {len(containers)} containers; say which one bears "
                    f"it, e.g. --seal {containers[0]}={text}"
                )
        if box not in containers:
            raise click.UsageError(
                f"--seal {text}: {box!r} is none of the containers {', '.join(containers)}"
            )
        seals.setdefault(box, []).append(seal)
    return seals


# -- the journey ---------------------------------------------------------------------------------


@custody.command("gate-in")
@_custody
def gate_in(desk: Desk, stated: Facts) -> None:
    """Received at the terminal (receipt terminal). 进闸"""
    stated.sign(desk, Action.GATE_IN, {})


@custody.command("load-rail")
@click.option("--train", required=True, help="Train number.")
@click.option("--waybill", required=True, help="Rail waybill number.")
@click.option("--wagon", help="Wagon number.")
@_custody
def load_rail(desk: Desk, stated: Facts, train: str, waybill: str, wagon: str | None) -> None:
    """Loaded on the train (rail operator). 装上火车"""
    more = {"train": train, "waybill": waybill, **({"wagon": wagon} if wagon else {})}
    stated.sign(desk, Action.LOADED_RAIL, more)


@custody.command("rail-depart")
@click.option("--train", required=True, help="Train number.")
@_custody
def rail_depart(desk: Desk, stated: Facts, train: str) -> None:
    """The train departed (rail operator). 火车发车"""
    stated.sign(desk, Action.RAIL_DEPARTED, {"train": train})


@custody.command("rail-arrive")
@click.option("--train", required=True, help="Train number.")
@_custody
def rail_arrive(desk: Desk, stated: Facts, train: str) -> None:
    """The train arrived (rail operator). 火车到达"""
    stated.sign(desk, Action.RAIL_ARRIVED, {"train": train})


@custody.command()
@_custody
def receive(desk: Desk, stated: Facts) -> None:
    """Received from the railway (loading terminal). 港口接收"""
    stated.sign(desk, Action.RECEIVED_TRANSHIPMENT, {})


@custody.command("load-vessel")
@click.option("--vessel", required=True, help="Vessel name.")
@click.option("--voyage", required=True, help="Export voyage number.")
@click.option("--imo", help="IMO number of the vessel, 7 digits.")
@_custody
def load_vessel(desk: Desk, stated: Facts, vessel: str, voyage: str, imo: str | None) -> None:
    """Loaded on board (loading terminal). 装船

    The latest of these dates is the on-board date of the bill.
    """
    more = {**_sailing(vessel, voyage), **({"vesselIMONumber": imo} if imo else {})}
    stated.sign(desk, Action.LOADED_VESSEL, more)


@custody.command()
@click.option("--vessel", required=True, help="Vessel name.")
@click.option("--voyage", required=True, help="Export voyage number.")
@_custody
def depart(desk: Desk, stated: Facts, vessel: str, voyage: str) -> None:
    """The vessel departed (loading terminal). 开船"""
    stated.sign(desk, Action.VESSEL_DEPARTED, _sailing(vessel, voyage))


@custody.command()
@_custody
def discharge(desk: Desk, stated: Facts) -> None:
    """Discharged from the vessel (discharge terminal). 卸船"""
    stated.sign(desk, Action.DISCHARGED, {})


@custody.command("customs-release")
@click.option("--reference", required=True, help="Customs reference of the release.")
@_custody
def customs_release(desk: Desk, stated: Facts, reference: str) -> None:
    """Customs lets the container go (customs authority). 海关放行"""
    stated.sign(desk, Action.CUSTOMS_RELEASE, {"customsReference": reference})


@custody.command("gate-out")
@click.option("--collector-name", required=True, help="Who collects, as identified at the gate.")
@click.option("--collector-reference", required=True, help="What the collector shows.")
@click.option(
    "--code",
    required=True,
    envvar="BOL_RELEASE_CODE",
    help="The one-time code that the collector shows. [BOL_RELEASE_CODE]",
)
@click.option("--bill", type=parameters.sha256, help="Its id; from the release check if not given.")
@click.option(
    "--order", type=parameters.sha256, help="Its digest; from the release check if not given."
)
@_custody
def gate_out(
    desk: Desk,
    stated: Facts,
    collector_name: str,
    collector_reference: str,
    code: str,
    bill: str | None,
    order: str | None,
) -> None:
    """Handed out against a delivery order (terminal). 提离

    Bill and order come from the release check; nothing is signed unless it says RELEASE.
    """
    more = {
        "code": code,
        "collectedBy": {"name": collector_name, "reference": collector_reference},
    }
    intents = []
    for box in stated.containers:
        named = {"bill": bill, "order": order}
        if bill is None or order is None:
            named = _released(desk, box)
        intents.append(stated.intent(Action.GATE_OUT, box, {**more, **named}))
    desk.sign(*intents)


def _released(desk: Desk, container: str) -> dict[str, str | None]:
    answer = desk.client.get(f"/v1/containers/{container}/release-check")
    if answer["answer"] != "RELEASE":
        raise Stopped(
            f"DO NOT RELEASE {container} 不得放货",
            answer["reason"],
            answer["nextStep"],
            answer["code"],
        )
    return {"bill": answer["bill"], "order": answer["order"]}


def _sailing(vessel: str, voyage: str) -> Json:
    return {"vesselName": vessel, "carrierExportVoyageNumber": voyage}
