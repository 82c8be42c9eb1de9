"""The spellings of rows that public data sets use, and ours that each stands for: data alone.

`normaliser.py` and `turns.py` read rows by these tables; docs/data-formats.md lists them.
"""

from __future__ import annotations

from collections.abc import Mapping

# Who speaks, in lower case. Names that aren't here are refused with the line.
ROLES: Mapping[str, str] = {
    "system": "system",
    "system_prompt": "system",
    "developer": "developer",
    "user": "user",
    "human": "user",
    "prompter": "user",
    "customer": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "bot": "assistant",
    "chatbot": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "claude": "assistant",
    "model": "assistant",
    "ai": "assistant",
    "agent": "assistant",
    "tool": "tool",
    "function": "tool",
    "ipython": "tool",
    "observation": "tool",
    "tool_response": "tool",
    "tool_result": "tool",
    "function_response": "tool",
}
# Turns whose text is a call: {"name": …, "arguments": …} as JSON.
CALLING_ROLES = ("function_call", "tool_call")

ROLE_KEYS = ("role", "from", "speaker", "author", "sender")
CONTENT_KEYS = ("content", "value", "text", "message", "utterance", "parts")
PART_TYPES = ("text", "input_text", "output_text")
# Whether a turn is learned: 0 and false are not.
WEIGHT_KEYS = ("weight", "train")

# Columns that hold a conversation; any other name does where it is the only such list of a row.
CHAT_LISTS = (
    "messages", "conversations", "conversation", "dialog", "dialogue", "turns", "chat", "history",
    "contents",
)  # fmt: skip
TOOL_LISTS = ("tools", "functions")

# Columns that hold a text, where a number or true and false is read as what it looks like.
TEXTS = frozenset({
    "text", "prompt", "completion", "answer", "system", "chosen", "rejected", "instruction",
    "input", "output",
})  # fmt: skip

# Pairs of columns under other names, read only where a row has no form of ours.
COLUMNS: tuple[Mapping[str, str], ...] = (
    {"question": "prompt", "chosen": "chosen", "rejected": "rejected"},
    {"prompt": "prompt", "accepted": "chosen", "rejected": "rejected"},
    {"prompt": "prompt", "preferred": "chosen", "dispreferred": "rejected"},
    {"prompt": "prompt", "response_chosen": "chosen", "response_rejected": "rejected"},
    {"prompt": "prompt", "chosen_response": "chosen", "rejected_response": "rejected"},
    {"question": "prompt", "answer": "answer"},
    {"query": "prompt", "answer": "answer"},
    {"problem": "prompt", "answer": "answer"},
    {"problem": "prompt", "solution": "answer"},
    {"prompt": "prompt", "solution": "answer"},
    {"question": "prompt", "solution": "answer"},
    {"problem": "prompt", "expected_answer": "answer"},
    {"prompt": "prompt", "ground_truth": "answer"},
    {"question": "prompt", "ground_truth": "answer"},
    {"question": "prompt", "final_answer": "answer"},
    {"prompt": "prompt", "target": "answer"},
    {"instruction": "instruction", "context": "input", "response": "output"},  # Dolly's.
    {"question": "prompt", "response": "completion"},
    {"query": "prompt", "response": "completion"},
    {"prompt": "prompt", "response": "completion"},
    {"instruction": "prompt", "response": "completion"},
    {"input": "prompt", "output": "completion"},
    {"text_input": "prompt", "output": "completion"},  # Gemini's.
    {"inputs": "prompt", "targets": "completion"},
    {"input": "prompt", "target": "completion"},
    {"user": "prompt", "assistant": "completion"},
    {"human": "prompt", "assistant": "completion"},
)
# Where one of these stands beside them, the pair may not be the whole row.
CONTEXTS = frozenset({"context", "passage", "document", "choices", "options", "input"})

# Signs that take no place: a text of these alone is empty.
ZERO_WIDTH = "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\ufeff"

# Columns with the system text of a row whose conversation is in another.
SYSTEM_KEYS = ("system_prompt", "system_instruction", "systemInstruction")
# Objects that hold a question and its answer, in a list that is a conversation.
EXCHANGES = (
    ("input", "output"), ("human", "assistant"), ("user", "assistant"), ("question", "answer"),
    ("prompt", "response"), ("query", "response"),
)  # fmt: skip
# What can't be learned, beside a text that speaks of it: lists, and one of each.
NO_TEXTS = ("images", "videos", "audios")
NO_TEXT = ("image", "video", "audio")
# Two answers under neutral names, the column that says which is better, and its values for them.
RANKED = (
    ("response_0", "response_1", "better_response_id", (0, 1)),
    ("output_1", "output_2", "preference", (1, 2)),
    ("response_a", "response_b", "winner", ("a", "b")),
    ("response_a", "response_b", "winner", ("model_a", "model_b")),
)
