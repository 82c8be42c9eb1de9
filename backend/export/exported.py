"""The exports on disk: listed with what is known of each, sent to the hub, and removed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from backend.contract.export.request import ExportedFile
from backend.contract.jobs.upload import UploadRequest, UploadResult
from backend.contract.run.folder import LINEAGE
from backend.core.disk.files import child_path
from backend.core.disk.removal import remove
from backend.core.disk.stored_files import DamagedFile, read_object
from backend.core.schemas import DamagedItem
from backend.errors import AccessRefused, Invalid, NotFound, WrongState
from backend.export.exported_schemas import ExportInfo, ExportList
from backend.export.schemas import ExportResultAnswer
from backend.export.service import Export
from backend.jobs.kinds.upload import Uploads
from backend.settings import Settings

_PART = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?")
_LONGEST = 96  # Characters of a whole name, as the hub has it.
_NOT_SIGNED_IN = "There is no token for the hub."
_SIGN_IN = (
    "Create one with write access on the hub, put it into HF_TOKEN (environment, or the .env file "
    "of the data folder) and restart the app."
)


class ExportedModels:
    """The folders of `settings.exports_dir` that this app has exported. Blocking."""

    def __init__(self, settings: Settings, export: Export, uploads: Uploads, endpoint: str) -> None:
        self._settings = settings
        self._folder = settings.exports_dir
        self._export = export
        self._uploads = uploads
        self._endpoint = endpoint

    def listed(self) -> ExportList:
        """Newest first; what is no export of ours is left out, what can't be read is named."""
        results, uploaded = self._export.results(), self._uploads.newest()
        exports: list[ExportInfo] = []
        damaged: list[DamagedItem] = []
        for path in self._folders():
            try:
                lineage = read_object(path / LINEAGE)
            except FileNotFoundError:
                continue
            except DamagedFile as damage:
                item = DamagedItem(name=path.name, path=str(path), problem=damage.detail)
                damaged.append(item)
                continue
            if _is_export(lineage):
                exports.append(self._info(path, lineage, results, uploaded))
        exports.sort(key=lambda one: one.created.timestamp() if one.created else 0.0, reverse=True)
        return ExportList(
            exports=exports, damaged=damaged, folder=str(self._folder), hub=self._endpoint
        )

    def plan_upload(self, name: str, repo_id: str, *, private: bool) -> tuple[UploadRequest, str]:
        """What the process is asked, and the token for it. Raises AppError."""
        path = self._find(name)
        require_repository_name(repo_id)
        token = self._settings.hf_token
        if not token:
            raise AccessRefused(_NOT_SIGNED_IN, hint=_SIGN_IN)
        request = UploadRequest(
            export=name,
            folder=str(path),
            repo_id=repo_id,
            private=private,
            endpoint=self._endpoint,
        )
        return request, token

    def delete(self, name: str) -> None:
        """Remove one. Raises NotFound, or WrongState while it is sent."""
        path = self._find(name)
        if self._uploads.sends(name):
            raise WrongState(
                f"{name} can't be deleted now: it is being uploaded.",
                hint="Stop the upload, or wait until it is done.",
            )
        remove(path, inside=self._folder, own=_is_ours)

    def _find(self, name: str) -> Path:
        path = child_path(self._folder, name)
        if not path.is_dir() or not _is_ours(path):
            raise NotFound(f"There is no export {name!r}.", hint="GET /api/exports names them.")
        return path

    def _folders(self) -> list[Path]:
        try:
            paths = list(self._folder.iterdir())
        except OSError:
            return []
        return [one for one in paths if not one.name.startswith(".") and one.is_dir()]

    def _info(
        self,
        path: Path,
        lineage: Mapping[str, Any],
        results: Mapping[str, ExportResultAnswer],
        uploaded: Mapping[str, UploadResult],
    ) -> ExportInfo:
        files = [
            ExportedFile(name=one.relative_to(path).as_posix(), bytes=one.stat().st_size)
            for one in sorted(path.rglob("*"))
            if one.is_file() and not one.is_symlink()
        ]
        result, sent = results.get(str(path)), uploaded.get(str(path))
        sides = result.proof.targets if result is not None and result.proof is not None else []
        losses = [side.loss.mean if side.loss is not None else None for side in sides]
        reason = self._reason(path.name)
        base, adapter = _table(lineage, "base_model"), _table(lineage, "adapter")
        return ExportInfo(
            name=path.name,
            path=str(path),
            format=_text(_table(lineage, "export").get("format")) or "unknown",
            size_bytes=sum(one.bytes for one in files),
            files=files,
            created=_time(lineage.get("created")),
            adapter=_text(adapter.get("name")),
            base=_text(base.get("name")) or _last(base.get("path")),
            loss=losses[2] if len(losses) > 2 else None,
            adapter_loss=losses[1] if len(losses) > 2 else None,
            worse=result.worse if result is not None else None,
            uploaded=sent.url if sent is not None else None,
            uploadable=reason is None,
            reason=reason,
        )

    def _reason(self, name: str) -> str | None:
        if not self._settings.hf_token:
            return f"{_NOT_SIGNED_IN} {_SIGN_IN}"
        return "It is being uploaded." if self._uploads.sends(name) else None


def require_repository_name(repo_id: str) -> None:
    """Raise Invalid unless the hub takes such a name: `owner/name`."""
    owner, slash, name = repo_id.partition("/")
    fits = slash and _PART.fullmatch(owner) and _PART.fullmatch(name)
    if not fits or len(repo_id) > _LONGEST or "--" in repo_id or ".." in repo_id:
        raise Invalid(
            f"{repo_id[:120]!r} is no name of a repository.",
            hint="Write owner/name: letters, digits, dots, dashes and underscores, no two dots or "
            f"dashes in a row, none at the ends, at most {_LONGEST} characters.",
        )
    if name.endswith(".git"):
        raise Invalid(f"{repo_id!r} may not end with .git.", hint="Leave .git out.")


def _is_ours(path: Path) -> bool:
    try:
        return _is_export(read_object(path / LINEAGE))
    except (FileNotFoundError, DamagedFile):
        return False


def _is_export(lineage: Mapping[str, Any]) -> bool:
    return lineage.get("method") == "export" and isinstance(lineage.get("export"), dict)


def _table(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = value.get(name)
    return table if isinstance(table, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _last(value: object) -> str | None:
    return Path(value).name if isinstance(value, str) else None


def _time(value: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return time.astimezone() if time is not None else None
