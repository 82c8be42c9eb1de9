from __future__ import annotations

from typing import Any

import pytest
from jinja2 import Environment

from backend.engines.tokens.rendering import sentence

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
