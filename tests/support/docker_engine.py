"""A stand-in for a Docker engine: answers its HTTP API as far as two containers need it, and notes what was asked."""

import io
import json
import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class Engine:
    """`mapped`: the host's port for each port of a container. `status` of a container that was started."""

    mapped: dict[str, int]
    status: str = "running"
    created: list[dict[str, Any]] = field(default_factory=list)
    copied: dict[str, str] = field(default_factory=dict)
    executed: list[list[str]] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    port: int = 0

    def answer(self, method: str, path: str, body: bytes) -> Any:
        """The JSON of an answer, or its bytes."""
        match method, re.sub(r"^/v[\d.]+", "", path).split("?")[0].strip("/").split("/"):
            case _, ["_ping"]:
                return b"OK"
            case _, ["version"]:
                return {"ApiVersion": "1.50", "MinAPIVersion": "1.24"}
            case "GET", ["images", *_]:
                return {"Id": "sha256:1"}
            case "POST", ["containers", "create"]:
                self.created.append(json.loads(body))
                return {"Id": f"c{len(self.created)}", "Warnings": []}
            case "GET", ["containers", id, "json"]:
                return self._inspected(id)
            case "GET", ["containers", _, "logs"]:
                return _frame(b"[KafkaRaftServer nodeId=1] Kafka Server started\n")
            case "PUT", ["containers", id, "archive"]:
                with tarfile.open(fileobj=io.BytesIO(body)) as archive:
                    for member in archive.getmembers():
                        content = archive.extractfile(member)
                        assert content is not None
                        self.copied[f"{id}:{member.name}"] = content.read().decode()
                return b""
            case "POST", ["containers", _, "exec"]:
                self.executed.append(json.loads(body)["Cmd"])
                return {"Id": "e1"}
            case "POST", ["exec", _, "start"]:
                return _frame(b"")
            case "GET", ["exec", _, "json"]:
                return {"ExitCode": 0}
            case "DELETE", ["containers", id]:
                self.removed.append(id)
                return b""
            case "POST", ["containers", _, "start"]:
                return b""
        raise AssertionError(f"the stand-in does not know {method} {path}")

    def _inspected(self, id: str) -> dict[str, Any]:
        ports = {f"{inside}/tcp": [{"HostIp": "0.0.0.0", "HostPort": str(at)}] for inside, at in self.mapped.items()}
        return {
            "Id": id,
            "Name": f"/{id}",
            "State": {"Status": self.status, "ExitCode": 1, "Error": "made up"},
            "Config": {"Image": "image", "Labels": {}, "Tty": False},
            "HostConfig": {"LogConfig": {"Type": "json-file"}, "NetworkMode": "bridge"},
            "NetworkSettings": {"Ports": ports},
        }


@contextmanager
def an_engine(**options: Any) -> Iterator[Engine]:
    """An engine that listens on loopback as long as the block lasts."""
    engine = Engine(**options)

    class EngineHandler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = engine.answer(self.command, self.path, body)
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain" if isinstance(answer, bytes) else "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_any  # noqa: N815 - the server looks for these names

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), EngineHandler)
    engine.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield engine
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _frame(output: bytes) -> bytes:
    """Output of a container as the engine multiplexes it: all of it on standard output."""
    return b"\x01\0\0\0" + len(output).to_bytes(4, "big") + output
