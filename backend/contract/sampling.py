"""How the tokens of an answer are chosen: asked by the server, followed by the engines."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How tokens are chosen. `temperature` 0 takes the likeliest every time; `top_k` 0, `top_p` 1
    and `min_p` 0 leave out nothing. Without a `seed`, each answer is another one.

    The defaults are those of the Compare page. An answer ends before any of the texts in `stop`.
    """

    max_tokens: int = 100
    temperature: float = 0.7
    top_p: float = 0.9
    min_p: float = 0.05
    top_k: int = 40
    repetition_penalty: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()


def untruncated(max_tokens: int, *, temperature: float = 0.0, seed: int = 0) -> Sampling:
    """Nothing is cut off: at `temperature` 0 the likeliest token, else one drawn from all."""
    return Sampling(
        max_tokens=max_tokens, temperature=temperature, top_p=1.0, min_p=0.0, top_k=0, seed=seed
    )
