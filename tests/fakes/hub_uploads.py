"""The routes of a hub that take an upload: create, preupload, LFS batch, the bytes, the commit."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any

LFS_FROM = 4096  # Bytes from which a file is large, as in the listing.
_ROUTES = {
    "create": r"/api/repos/create",
    "card": r"/api/validate-yaml",
    "preupload": r"/api/models/(?P<repo>[^/]+/[^/]+)/preupload/main",
    "batch": r"/(?P<repo>[^/]+/[^/]+)\.git/info/lfs/objects/batch",
    "bytes": r"/lfs/(?P<oid>[0-9a-f]{64})",
    "commit": r"/api/models/(?P<repo>[^/]+/[^/]+)/commit/main",
    "info": r"/api/models/(?P<repo>[^/]+/[^/]+)",
}
Answer = tuple[int, Any]


@dataclass
class UploadedRepo:
    private: bool
    files: dict[str, bytes] = field(default_factory=dict)
    commits: list[str] = field(default_factory=list)


@dataclass
class HubUploads:
    """What was sent. `token` is the one that may write; `refused` answers a step with a status."""

    token: str = "hf_writes"
    repos: dict[str, UploadedRepo] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    put: list[str] = field(default_factory=list)  # SHA-256 of the bytes that came, in order.
    refused: dict[str, int] = field(default_factory=dict)
    lead_to: str | None = None  # Where large files are sent instead of to this hub.

    def step(self, path: str) -> tuple[str, dict[str, str]] | None:
        """The step that a path belongs to, and what its path names."""
        for step, pattern in _ROUTES.items():
            if (found := re.fullmatch(pattern, path)) is not None:
                return step, found.groupdict()
        return None

    def answer(self, path: str, body: bytes, token: str | None, url: str) -> Answer | None:
        """None for a path that is none of these, or a repository that nobody made here."""
        found = self.step(path)
        if found is None:
            return None
        step, names = found
        if step in self.refused:
            return self.refused[step], {"error": f"No {step} for you"}
        if step != "bytes" and token != self.token:
            return 401, {"error": "Invalid credentials in Authorization header"}
        repo = self.repos.get(names.get("repo", ""))
        if step == "create":
            return self._create(json.loads(body), url)
        if step == "card":
            return 200, {"errors": [], "warnings": []}
        if step == "bytes":
            self.objects[hashlib.sha256(body).hexdigest()] = body
            self.put.append(names["oid"])
            return 200, {}
        if repo is None:
            return (404, {"error": "Repository not found"}) if step != "info" else None
        if step == "info":
            sha = repo.commits[-1] if repo.commits else "0" * 40
            return 200, {"id": names["repo"], "sha": sha, "private": repo.private, "siblings": []}
        if step == "preupload":
            return 200, {"files": [self._mode(repo, file) for file in json.loads(body)["files"]]}
        if step == "batch":
            return 200, {"objects": [self._object(o, url) for o in json.loads(body)["objects"]]}
        return 200, self._commit(repo, names["repo"], body, url)

    def _create(self, asked: dict[str, Any], url: str) -> Answer:
        name = f"{asked['organization']}/{asked['name']}"
        there = name in self.repos
        private = asked.get("visibility") == "private"
        self.repos.setdefault(name, UploadedRepo(private=private))
        return (409 if there else 200), {"url": f"{url}/{name}", "error": "You already created it"}

    def _mode(self, repo: UploadedRepo, file: dict[str, Any]) -> dict[str, Any]:
        mode = "lfs" if file["size"] >= LFS_FROM else "regular"
        known = repo.files.get(file["path"])
        oid = hashlib.sha256(known).hexdigest() if known is not None and mode == "lfs" else None
        return {"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": oid}

    def _object(self, asked: dict[str, Any], url: str) -> dict[str, Any]:
        if asked["oid"] in self.objects:
            return asked
        target = f"{self.lead_to or url}/lfs/{asked['oid']}"
        return {**asked, "actions": {"upload": {"href": target, "header": {}}}}

    def _commit(self, repo: UploadedRepo, name: str, body: bytes, url: str) -> dict[str, Any]:
        for line in body.splitlines():
            item = json.loads(line)
            value = item["value"]
            if item["key"] == "file":
                repo.files[value["path"]] = base64.b64decode(value["content"])
            elif item["key"] == "lfsFile":
                repo.files[value["path"]] = self.objects[value["oid"]]
        oid = hashlib.sha1(body, usedforsecurity=False).hexdigest()
        repo.commits.append(oid)
        return {"commitUrl": f"{url}/{name}/commit/{oid}", "commitOid": oid}
