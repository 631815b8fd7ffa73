"""The Hub, played by a server on this machine."""

import json
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler


class Hub(BaseHTTPRequestHandler):
    """Serves the folders of ``server.models``, slowly when ``server.pause`` says so.

    A second folder of a model is what the Hub's converter offers for it.
    """

    def do_GET(self):
        self.server.asked.append(self.path)
        path = self.path.partition("?")[0].strip("/").split("/")
        if path[:2] == ["api", "models"]:
            self._tell("/".join(path[2:4]), path[4], path[-1])
        else:
            self._send("/".join(path[:2]), *path[-2:])

    do_HEAD = do_GET  # noqa: N815 - the name that http.server looks for

    def log_message(self, *args):
        pass

    def _tell(self, model, question, revision):
        folders = self.server.models.get(model)
        if folders is None:
            gated = model == "org/gated"
            code = "GatedRepo" if gated else "RepoNotFound"
            self._answer(403 if gated else 404, {"X-Error-Code": code})
        elif question == "revision":
            number = 1 if revision.startswith("refs") else 0
            self._answer(200, {}, json.dumps({"id": model, "sha": f"{number:040}"}).encode())
        elif question == "discussions":
            self._answer(200, {}, json.dumps(offers(len(folders) - 1)).encode())
        else:
            files = [
                {"type": "file", "path": f.name, "size": f.stat().st_size, "oid": f"{n:040x}"}
                for n, f in enumerate(sorted(folders[int(revision)].iterdir()))
            ]
            self._answer(200, {}, json.dumps(files).encode())

    def _send(self, model, revision, name):
        content = (self.server.models[model][int(revision)] / name).read_bytes()
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
        about = {"ETag": f'"{name}"', "X-Repo-Commit": revision, "Accept-Ranges": "bytes"}
        if start:
            about["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self._answer(206 if start else 200, about, content[start:])

    def _answer(self, status, headers, body=b""):
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        with suppress(ConnectionError):  # whoever asked has had enough
            for first in range(0, len(body), 10_000):
                self.wfile.write(body[first : first + 10_000])
                time.sleep(self.server.pause)


def offers(count):
    """Return what the Hub says of pull requests by its converter."""
    request = {
        "num": 1,
        "title": "Adding `safetensors` variant of this model",
        "author": {"name": "SFconvertbot"},
        "repo": {"name": "", "type": "model"},
        "isPullRequest": True,
        "status": "open",
        "createdAt": "2023-01-01T00:00:00.000Z",
    }
    return {"discussions": [request] * count, "count": count, "start": 0}
