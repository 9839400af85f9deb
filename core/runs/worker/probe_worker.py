"""The process of one probe's session: restores a run's checkpoint and lets its program answer a person's requests.

Started as a fork of the zygote, or as ``python -m core.runs.worker.probe_worker FOLDER PROBE STEP``. It reads the run's
description and one checkpoint, and touches neither log nor lock nor control: the training does not know of it. Over its
connection come requests, a line of JSON each, of which only the newest is kept while one is being answered; back go
lines of JSON, and after the line of an event the bytes of its arrays.
"""

import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from core import registry, settings
from core.events import Event, Snapshot, Text
from core.experiment import Probe, Request
from core.runs.store.library import Library
from core.runs.store.log import decoded, encoded
from core.runs.store.restore import restore
from core.runs.worker import process
from core.runs.worker.failures import sentence_of
from core.words import N_, Refusal, sentence_json

#: Seconds that an answer may still take once nobody waits for it.
GRACE_S = 2.0


def named(slug: str, name: str, config: Mapping[str, Any]) -> Probe:
    """The experiment's probe of that name, for a run with these settings.

    Raises:
        Refusal: there is none.
    """
    for probe in registry.get(slug).probes:
        if probe.name == name and all(config.get(field) in values for field, values in probe.shown_if.items()):
            return probe
    raise Refusal("probe", N_("There is nothing called {name} to play with in this run."), name=name[:40])


def answers(back: IO[bytes]) -> Iterator[tuple[dict[str, Any], Event | None]]:
    """What a session's process sends: each line, with the event that it holds."""
    while line := back.readline():
        header: dict[str, Any] = json.loads(line)
        if "kind" not in header:
            yield header, None
            continue
        arrays = back.read(header["size"])
        if len(arrays) < header["size"]:
            return  # it ended in the middle of a word
        yield header, decoded(header["kind"], header["at"], header["panel"], header["body"], arrays or None)


class Requests(Iterator[Request]):
    """What comes over the connection: an iterator over the requests, the newest one first and only."""

    def __init__(self, connection: IO[bytes], request: type[Request]) -> None:
        self.n = 0  # of the request that is being answered
        self._connection, self._request = connection, request
        self._changed = threading.Condition()
        self._newest: dict[str, Any] | None = None
        self._ended = False
        threading.Thread(target=self._receive, daemon=True).start()

    def __next__(self) -> Request:
        with self._changed:
            self._changed.wait_for(self._has_newer)
            request, self._newest = self._newest, None
            if self._ended or request is None:
                raise StopIteration
        self.n = request["n"]
        checked: Request = settings.check(self._request, request["request"])
        return checked

    @property
    def overtaken(self) -> bool:
        """Whether a newer request has come, or the session was closed."""
        with self._changed:
            return self._has_newer()

    def _has_newer(self) -> bool:
        return self._newest is not None or self._ended

    def _receive(self) -> None:
        with suppress(OSError, ValueError):
            for line in self._connection:
                with self._changed:
                    self._newest = json.loads(line)
                    self._changed.notify()
        with self._changed:
            self._ended = True
            self._changed.notify()
        time.sleep(GRACE_S)
        os._exit(0)  # an answer without end, which nobody waits for any more


def answer(folder: Path, name: str, step: int | None, incoming: IO[bytes], outgoing: IO[bytes]) -> int:
    """Hold a session until its connection ends. The process has to be the session's own, and ends with it.

    Args:
        folder: of the run.
        name: of the probe.
        step: restore the newest checkpoint saved at this step at the latest, ``None`` for the newest of all.
    """

    def send(header: Mapping[str, Any], more: bytes = b"") -> None:
        outgoing.write(json.dumps(header).encode() + b"\n" + more)
        outgoing.flush()

    try:
        info = Library(folder.parent).info(folder.name)
        probe = named(info.slug, name, info.config)
        requests = Requests(incoming, probe.request)
        restored = restore(folder, step, threads=process.threads())
        if restored is None or restored.program.probe is None:
            raise Refusal("step", N_("Nothing was saved of this run yet that could be played with."))
        state = restored.state
        send({"ready": state.step})
        for event in restored.program.probe(state, name, requests):
            if isinstance(event, Snapshot | Text):
                kind, panel, body, arrays = encoded(event)
                about = {"kind": kind, "at": event.step, "panel": panel, "body": body, "size": len(arrays or b"")}
                send({"n": requests.n, **about}, arrays or b"")
    except ConnectionError:
        return 0  # nobody reads any more
    except Exception as error:
        sentence = sentence_of(error, N_("The answer failed with an error of its own: {error}."))
        with suppress(OSError):
            send(
                {
                    "failed": sentence_json(sentence),
                    "traceback": "" if isinstance(error, Refusal) else traceback.format_exc(),
                }
            )
        return 1
    with suppress(OSError):
        send({"over": True})
    return 0


def main() -> int:
    folder, name, step = sys.argv[1:]
    with open(os.dup(1), "wb") as outgoing:  # noqa: PTH123 - a number, no path
        os.dup2(2, 1)  # what a program prints does not belong on the connection
        return answer(Path(folder), name, int(step) if step else None, sys.stdin.buffer, outgoing)


if __name__ == "__main__":
    sys.exit(main())
