"""Prometheus metrics of one process; one registry per app, so that tests do not share counters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bol_service.application.cosigning import Lag
from bol_service.application.sequencer import Observed
from bol_service.application.webhook_delivery import Attempted
from bol_service.application.webhook_ports import Stage
from bol_service.http.readiness import OK

_OUTCOMES = {Stage.DELIVERED: "delivered", Stage.WAITING: "failed", Stage.GIVEN_UP: "given_up"}


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._groups = 0
        self._requests = Counter(
            "bol_http_requests_total",
            "Requests by route, method and status",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "bol_http_request_seconds",
            "Time to answer",
            ["route"],
            registry=self.registry,
        )
        self._group_size = Histogram(
            "bol_commit_group_size",
            "Events per group commit",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
            registry=self.registry,
        )
        self._commit_seconds = Histogram(
            "bol_commit_seconds", "Time of a group commit", registry=self.registry
        )
        self._accepted = Counter(
            "bol_events_accepted_total", "Events recorded, resends included", registry=self.registry
        )
        self._refused = Counter(
            "bol_events_refused_total", "Events that the law refused", registry=self.registry
        )
        self.waiting = Gauge(
            "bol_queue_waiting", "Events waiting for the sequencer", registry=self.registry
        )
        self.commit_failing = Gauge(
            "bol_commit_failing",
            "1 from a group commit that failed until one does not",
            registry=self.registry,
        )
        self._commit_failures = Counter(
            "bol_commit_failures_total",
            "Group commits that failed; their senders were told to send again",
            registry=self.registry,
        )
        self._ready = Gauge(
            "bol_ready",
            "1 for each part of /readyz that is ready, 0 for one that is not",
            ["part"],
            registry=self.registry,
        )
        self.log_size = Gauge("bol_log_size", "Entries in the log", registry=self.registry)
        self._checkpoint_age = Gauge(
            "bol_checkpoint_age_seconds",
            "Time since the last checkpoint was signed, which is that of the last entry",
            registry=self.registry,
        )
        self._proof_seconds = Histogram(
            "bol_proof_seconds",
            "Time to make a proof of the public log",
            ["kind"],
            registry=self.registry,
        )
        self._disputes = Gauge(
            "bol_witness_disputes",
            "Refused checkpoints of a log that we witness: forks, or not proven to be none",
            ["log", "kind"],
            registry=self.registry,
        )
        self._witness_lag = Gauge(
            "bol_witness_lag_entries",
            "Entries that are not yet under a cosignature of the witness",
            ["witness"],
            registry=self.registry,
        )
        self._witness_failures = Gauge(
            "bol_witness_failures",
            "Visits to the witness that failed, since the last one that did not",
            ["witness"],
            registry=self.registry,
        )

        self._webhook_attempts = Counter(
            "bol_webhook_attempts_total",
            "Attempts to deliver a notice: delivered, failed and repeated later, or given up",
            ["outcome"],
            registry=self.registry,
        )
        self._webhook_seconds = Histogram(
            "bol_webhook_attempt_seconds",
            "Time of an attempt to deliver a notice",
            registry=self.registry,
        )
        self.webhook_backlog = Gauge(
            "bol_webhook_backlog",
            "Notices that wait to be delivered, those to be repeated included",
            registry=self.registry,
        )

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def proof(self, kind: str) -> AbstractContextManager[object]:
        """Times the block, as the making of a proof of this kind."""
        return self._proof_seconds.labels(kind).time()

    def head(self, size: int, recorded_at: datetime | None, *, now: float) -> None:
        """`now` in seconds since 1970. A clock that a demonstration set may be ahead of it."""
        self.log_size.set(size)
        if recorded_at is not None:
            self._checkpoint_age.set(max(0.0, now - recorded_at.timestamp()))

    def ready(self, parts: Mapping[str, str]) -> None:
        for part, state in parts.items():
            self._ready.labels(part).set(state == OK)

    def disputes(self, found: Mapping[tuple[str, bool], int]) -> None:
        for (origin, is_fork), count in found.items():
            self._disputes.labels(origin, "fork" if is_fork else "unproven").set(count)

    @property
    def groups(self) -> int:
        """Groups committed since the start of the process."""
        return self._groups

    def group(self, observed: Observed) -> None:
        self._groups += 1
        self._group_size.observe(observed.size)
        self._commit_seconds.observe(observed.seconds)
        self._accepted.inc(observed.accepted)
        self._refused.inc(observed.size - observed.accepted)

    def group_failed(self) -> None:
        self._commit_failures.inc()

    def attempt(self, attempted: Attempted) -> None:
        self._webhook_attempts.labels(_OUTCOMES[attempted.stage]).inc()
        self._webhook_seconds.observe(attempted.seconds)

    def lags(self, lags: Iterable[Lag]) -> None:
        for lag in lags:
            self._witness_lag.labels(lag.witness).set(lag.entries)
            self._witness_failures.labels(lag.witness).set(lag.failures)

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self.registry)
