from __future__ import annotations

from typing import Any

import pytest
from jinja2 import Environment
from mlx_lm.utils import load_tokenizer

from backend.engines.tokens.rendering import sentence
from tests.service.server import DEMO

pytestmark = pytest.mark.engine
JOINED = "{% for m in messages %}{{ m['role'] + m['content'] }}{% endfor %}"


@pytest.mark.parametrize("message", [{"role": "assistant"}, {"role": "assistant", "content": None}])
def test_a_template_that_joins_a_text_that_is_null_is_told_in_words(message: Any) -> None:
    with pytest.raises(Exception, match=r"content|NoneType") as failure:
        Environment(autoescape=False).from_string(JOINED).render(messages=[message])  # noqa: S701

    assert "reads 'content' where the row has none or null; put an empty text" in sentence(
        failure.value
    )
    assert sentence(ValueError("System role\nnot supported")) == "System role not supported"


@pytest.mark.parametrize("mode", ["dpo", "orpo", "cpo", "dsla"])
def test_a_pair_that_ends_a_conversation_is_rendered_as_that_conversation(mode: str) -> None:
    from backend.engines.rl.templates import fitted_tokenizer
    from backend.engines.tokens.method_counts import MethodRenderer

    system = {"role": "system", "content": "Be kind."}
    asked = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "hello"},
        {"role": "user", "content": "what?"},
    ]
    row = {"prompt": asked, "system": "Be kind.", "chosen": "the river", "rejected": "no"}
    tokenizer, _ = fitted_tokenizer(load_tokenizer(DEMO))

    (found,) = MethodRenderer(tokenizer, "preference", mode, [row]).render([row])

    whole = [system, *asked, {"role": "assistant", "content": "the river"}]
    exact = tokenizer.apply_chat_template(whole, tokenize=True)
    question = tokenizer.apply_chat_template([system, *asked], add_generation_prompt=True)
    assert (found.length, found.start, found.refused) == (len(exact), len(question), None)
