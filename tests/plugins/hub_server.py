"""The Hub, played by a server on this machine."""

import hashlib
import json
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

LARGE = (".safetensors", ".bin")  # suffixes of what the Hub keeps outside Git


@contextmanager
def running_hub(models):
    """Serve folders by the ids of models; gives the server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.models, server.asked, server.pause = models, [], 0
    server.head = 0  # which folder of a model is its latest revision
    server.starts = []  # (name of a file, first byte) of every transfer
    server.spoilt = set()  # names of files that come with a wrong byte
    server.dropped = set()  # names of files whose transfer breaks off half way, once
    server.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class Hub(BaseHTTPRequestHandler):
    """Serves the folders of ``server.models``, slowly when ``server.pause`` says so.

    A second folder of a model is what the Hub's converter offers for it.
    """

    def do_GET(self):
        self.server.asked.append(self.path)
        path = urlsplit(self.path).path.strip("/").split("/")
        if path == ["api", "models"]:
            self._list(parse_qs(urlsplit(self.path).query))
        elif path[:2] == ["api", "models"]:
            self._tell("/".join(path[2:4]), (*path[4:5], "")[0], path[-1])
        else:
            self._send("/".join(path[:2]), *path[-2:])

    do_HEAD = do_GET  # noqa: N815 - the name that http.server looks for

    def log_message(self, *args):
        pass

    def _list(self, query):
        words = query.get("search", [""])[0]
        fitting = [name for name in self.server.models if words in name]
        wanted = {part for text in query.get("filter", []) for part in text.split(",")}
        found = [
            about
            for name in fitting
            if (about := summary(name, self.server.models[name][0]))
            and wanted - {"image-segmentation", "mask-generation"} <= set(about["tags"])
            and about["pipeline_tag"] in (wanted | set(query.get("pipeline_tag", [])))
        ]
        self._answer(200, {}, json.dumps(found).encode())

    def _tell(self, model, question, revision):
        folders = self.server.models.get(model)
        if folders is None:
            gated = model == "org/gated"
            code = "GatedRepo" if gated else "RepoNotFound"
            self._answer(403 if gated else 404, {"X-Error-Code": code})
        elif question == "discussions":
            self._answer(200, {}, json.dumps(offers(len(folders) - 1)).encode())
        else:
            number = 1 if revision.startswith("refs") else self.server.head
            about = summary(model, folders[number]) | {"sha": f"{number:040}"}
            self._answer(200, {}, json.dumps(about).encode())

    def _send(self, model, revision, name):
        content = (self.server.models[model][int(revision)] / name).read_bytes()
        if name in self.server.spoilt:
            content = content[:-1] + bytes([content[-1] ^ 1])
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
        self.server.starts.append((name, start))
        about = {"Accept-Ranges": "bytes"}
        if start:
            about["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        body = content[start:]
        if name in self.server.dropped:
            self.server.dropped.remove(name)
            about["Content-Length"] = str(len(body))
            body = body[: len(body) // 2]
            self.close_connection = True
        self._answer(206 if start else 200, about, body)

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


def summary(name, folder):
    """Return what the Hub says of a model."""
    config = json.loads((folder / "config.json").read_text())
    card = folder / "README.md"
    licence = "apache-2.0" if card.exists() and "apache-2.0" in card.read_text() else "other"
    weights = folder / "model.safetensors"
    size = weights.stat().st_size if weights.exists() else 0
    return {
        "id": name,
        "sha": "0" * 40,
        "pipeline_tag": "image-segmentation",
        "downloads": 1000 // len(name),
        "tags": ["transformers", f"license:{licence}"],
        "config": {key: config[key] for key in ("architectures", "model_type")},
        "siblings": [sibling(file) for file in sorted(folder.iterdir()) if file.is_file()],
    } | ({"safetensors": {"parameters": {"F32": size // 4}, "total": size // 4}} if size else {})


def sibling(file):
    content = file.read_bytes()
    about = {
        "rfilename": file.name,
        "size": len(content),
        "blobId": hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest(),
    }
    if file.suffix in LARGE:
        sha256 = hashlib.sha256(content).hexdigest()
        about["lfs"] = {"size": len(content), "sha256": sha256, "pointerSize": 134}
    return about


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
