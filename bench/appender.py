"""The write path in a process like the service's: its threads are gevent's, as under `bol serve`.

    python -m bench.appender        with the environment of a service

Says `ready`; then, for each line of JSON with one chain of signed events per thread: decodes them,
says `ready`, waits for a line, and says when, in seconds of the machine's clock, it began to append
them and when all of them were. A refusal ends it.
"""

# ruff: noqa: E402

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import gc
import json
import logging
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog

from bol_service import bootstrap
from bol_service.application.commit import Accepted
from bol_service.application.sequencer import Sequencer
from bol_service.cli.server import keep_what_is_loaded
from bol_service.settings import from_environment
from bol_service.wire.events import SignedEvent, decode


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    running = bootstrap.start(from_environment(os.environ))
    keep_what_is_loaded()  # the service's own ways with what is collected
    try:
        _say("ready")
        for line in sys.stdin:
            chains = [[decode(compact) for compact in chain] for chain in json.loads(line)]
            _say("ready")
            sys.stdin.readline()
            _say(json.dumps(_span(running.services.sequencer, chains)))
    finally:
        running.stop()


def _say(line: str) -> None:
    print(line, flush=True)


def _span(sequencer: Sequencer, chains: Sequence[list[SignedEvent]]) -> tuple[float, float]:
    """One thread for each chain; raises the refusal of an event that was refused."""

    def append(chain: list[SignedEvent]) -> None:
        for signed in chain:
            answer: Accepted = sequencer.submit(signed)
            assert not answer.resend

    gc.collect()
    gc.freeze()  # what was decoded before the clock starts is no rubbish to look for
    with ThreadPoolExecutor(len(chains)) as pool:
        started = time.monotonic()
        for done in [pool.submit(append, chain) for chain in chains]:
            done.result()
        return started, time.monotonic()


if __name__ == "__main__":
    main()
