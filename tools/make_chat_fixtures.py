"""Writes tests/fixtures/chat/cases.json: conversations, and what transformers' apply_chat_template makes of them.

    python tools/make_chat_fixtures.py

The templates beside it, FAMILY.jinja, are short ones in the forms that families of chat models have. A case says the template, the
variables, and `expected` (the prompt) or `error` (what the template raises).
"""

import json
from pathlib import Path

from transformers import PreTrainedTokenizerFast

ROOT = Path(__file__).resolve().parent.parent / "tests" / "fixtures"
SPECIAL = {
    "chatml": {"eos_token": "<|im_end|>", "pad_token": "<|end|>"},
    "llama3": {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"},
    "gemma": {"bos_token": "<bos>", "eos_token": "<eos>"},
    "phi3": {"bos_token": "<s>", "eos_token": "<|end|>", "unk_token": "<unk>"},
    "mistral": {"bos_token": "<s>", "eos_token": "</s>"},
}

user = lambda content: {"role": "user", "content": content}
assistant = lambda content, **more: {"role": "assistant", "content": content, **more}
system = lambda content: {"role": "system", "content": content}
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather", "description": "The weather of a place: \"wind\" & <rain>, 20 °C",
        "parameters": {"type": "object", "properties": {"place": {"type": "string", "enum": ["Wien", "Zürich"]}, "days": {"type": "integer", "default": 1.5}}, "required": ["place"]},
    },
}
CALL = {"type": "function", "function": {"name": "weather", "arguments": {"place": "Zürich", "days": 2, "now": True, "unit": None}}}
CONVERSATIONS = {
    "a question": [user("What is 2 + 2?")],
    "a system prompt": [system("  Be brief.\n"), user("Hi!"), assistant("Hello \n"), user(" And 'now'? \"x\" {{ x }} {% if %}\n")],
    "no end of turns": [user(f"{i} 😀") if i % 2 == 0 else assistant(f"réponse\t{i}") for i in range(7)],
    "empty messages": [user(""), assistant(""), user("\n")],
    "two users": [user("a"), user("b")],
    "an assistant first": [assistant("a")],
    "parts": [user([{"type": "text", "text": "one "}, {"type": "text", "text": "two"}])],
    "another role": [{"role": "narrator", "content": "Once"}],
}
TOOLED = {
    "tools": ([user("Weather?")], [WEATHER]),
    "two tools": ([system("S"), user("Weather?")], [WEATHER, {"type": "function", "function": {"name": "now", "parameters": {}}}]),
    "a call and its result": ([user("Weather?"), assistant(None, tool_calls=[CALL]), {"role": "tool", "name": "weather", "content": "{\"sun\": 1}"}], [WEATHER]),
}


def main():
    cases = []
    for family, special in SPECIAL.items():
        tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(ROOT / "tokenizers" / "gpt2" / "tokenizer.json"), **special)
        template = (ROOT / "chat" / f"{family}.jinja").read_text()
        asked = [(what, messages, None, {}) for what, messages in CONVERSATIONS.items() if what != "parts" or "part in" in template]
        asked += [(what, messages, tools, {}) for what, (messages, tools) in TOOLED.items() if "tools" in template]
        asked += [("variables", [user("Think.")], None, {"enable_thinking": False, "date": "1 May 2026"})]
        for what, messages, tools, variables in asked:
            case = {"template": family, "special": special, "what": what, "messages": messages, "variables": variables, **({"tools": tools} if tools else {})}
            try:
                case["expected"] = tokenizer.apply_chat_template(messages, tools=tools, chat_template=template, tokenize=False, add_generation_prompt=True, **variables)
            except Exception as error:  # noqa: BLE001: whatever the template or Jinja says of it
                case["error"] = str(error)
            cases.append(case)
    (ROOT / "chat" / "cases.json").write_text(json.dumps(cases, ensure_ascii=False, indent=1) + "\n")
    print(len(cases), sum("error" in case for case in cases))


main()
