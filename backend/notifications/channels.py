"""The two ways a message leaves: a JSON document to a webhook, and ntfy's own JSON to a topic."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from backend.core.saved_settings import SavedSecrets
from backend.notifications.messages import EndMessage

ChannelName = Literal["webhook", "ntfy"]
SECONDS = 10.0
_LONGEST = 4000  # ntfy takes 4,096 bytes of text; more becomes an attachment.


class NotSent(Exception):
    """A message did not arrive; says why. `again`: it may when it is sent once more."""

    def __init__(self, reason: str, *, again: bool) -> None:
        super().__init__(reason)
        self.again = again


@dataclass(frozen=True, slots=True)
class Channel:
    """Where messages go. For ntfy `url` is that of the topic, as https://ntfy.sh/my-topic."""

    name: ChannelName
    url: str

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    def send(self, message: EndMessage) -> None:
        """Blocking, for at most some ten seconds. Raises NotSent."""
        if self.name == "ntfy":
            parts = urlsplit(self.url)
            root, _, topic = parts.path.rpartition("/")
            _post(parts._replace(path=f"{root}/").geturl(), _ntfy_body(topic, message))
        else:
            at = datetime.now(UTC).isoformat()
            _post(self.url, {"app": "droid-finetuning", "at": at, **asdict(message)})


def channels_of(secrets: SavedSecrets) -> list[Channel]:
    """Those that are set, in the order in which they are shown."""
    urls: dict[ChannelName, str | None] = {"webhook": secrets.webhook_url, "ntfy": secrets.ntfy_url}
    return [Channel(name, url) for name, url in urls.items() if url]


def url_problem(name: ChannelName, url: str) -> str | None:
    """Why a message can't be sent to that address."""
    if not names_service(url):
        return "it must begin with https:// or http:// and name a host"
    if name == "ntfy" and not urlsplit(url).path.rpartition("/")[2]:
        return "it must end with the topic, as https://ntfy.sh/my-topic"
    return None


def names_service(url: str) -> bool:
    """Whether it is the address of a service on the web: http or https, and a host."""
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _ntfy_body(topic: str, message: EndMessage) -> dict[str, Any]:
    """https://docs.ntfy.sh/publish/#publish-as-json"""
    return {
        "topic": topic,
        "title": message.title,
        "message": message.text[:_LONGEST] or message.title,
        "tags": ["white_check_mark" if message.succeeded else "warning"],
        "priority": 3 if message.succeeded else 4,
    }


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A message goes where the user said, and nowhere else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_opener = urllib.request.OpenerDirector()
for _handler in (
    urllib.request.ProxyHandler, urllib.request.HTTPHandler, urllib.request.HTTPSHandler,
    urllib.request.HTTPDefaultErrorHandler, urllib.request.HTTPErrorProcessor, _NoRedirect,
):  # fmt: skip
    _opener.add_handler(_handler())


def _post(url: str, body: Mapping[str, Any]) -> None:
    request = urllib.request.Request(  # noqa: S310 - http or https alone: `url_problem`
        url,
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json", "user-agent": "droid-finetuning"},
        method="POST",
    )
    try:
        with _opener.open(request, timeout=SECONDS) as answer:
            answer.read(1024)
    except urllib.error.HTTPError as refusal:
        again = refusal.code == 429 or refusal.code >= 500
        raise NotSent(f"it answered {refusal.code} ({refusal.reason})", again=again) from refusal
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "reason", None) or problem
        raise NotSent(f"it can't be reached ({reason})", again=True) from problem
