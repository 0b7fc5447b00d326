"""Chat models for tests: a LLaMA and a LLaVA of width 16, and a server that answers what a test scripts."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import (
    CLIPImageProcessor,
    CLIPVisionConfig,
    LlamaConfig,
    LlamaForCausalLM,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)

SPECIAL_TOKENS = ["<pad>", "<s>", "</s>", "<image>", "<|user|>", "<|assistant|>"]
CONTEXT = 2048
_TEXT_TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] | trim }}{{ eos_token }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
# like LLaVA 1.5's, it leaves the first token to the tokenizer
_IMAGE_TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|>{% for part in m['content'] %}{% if part['type'] == 'image' %}<image>"
    "{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def chat_tokenizer() -> PreTrainedTokenizerFast:
    """One token a byte, so that it spells everything, and a first token as LLaMA's tokenizer adds it."""
    pieces = [*SPECIAL_TOKENS, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(models.BPE({piece: i for i, piece in enumerate(pieces)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        additional_special_tokens=SPECIAL_TOKENS[3:],
        chat_template=_TEXT_TEMPLATE,
    )


def _llama_config() -> LlamaConfig:
    return LlamaConfig(
        vocab_size=len(chat_tokenizer()),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        initializer_range=0.5,  # so that answers differ from prompt to prompt
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=None,
    )


def save_tiny_llama(folder) -> str:
    """A random LLaMA with tokenizer and chat template; returns the folder."""
    torch.manual_seed(0)
    model = LlamaForCausalLM(_llama_config())
    model.generation_config.update(do_sample=True, temperature=0.6, top_p=0.9)  # as LLaMA-3 comes
    model.save_pretrained(folder)
    chat_tokenizer().save_pretrained(folder)
    return str(folder)


def save_tiny_llava(folder) -> str:
    """A random LLaVA over 32 x 32 pixels with its processor; returns the folder."""
    torch.manual_seed(0)
    vision = CLIPVisionConfig(
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=32,
        patch_size=16,
        initializer_range=0.5,
    )
    tokenizer = chat_tokenizer()
    image_token = tokenizer.convert_tokens_to_ids("<image>")
    config = LlavaConfig(vision_config=vision, text_config=_llama_config(), image_token_id=image_token)
    LlavaForConditionalGeneration(config).save_pretrained(folder)
    LlavaProcessor(
        CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}),
        tokenizer,
        patch_size=16,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=_IMAGE_TEMPLATE,
    ).save_pretrained(folder)
    return str(folder)


class ChatServer:
    """An OpenAI-compatible server on this machine, to be used in a `with`.

    Args:
        answer: Takes the body of a request, and returns the reply, or raises `Refusal`.

    `requests` are the bodies that came, `headers` theirs, `url` is its address.
    """

    def __init__(self, answer: Callable[[dict], str]):
        self.answer = answer
        self.requests: list[dict] = []
        self.headers: list[dict] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"

    def __enter__(self) -> "ChatServer":
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.server.shutdown()
        self.server.server_close()

    def _handler(self):
        chat = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                chat.requests.append(body)
                chat.headers.append({name.lower(): value for name, value in self.headers.items()})
                try:
                    if self.path != "/v1/chat/completions":
                        raise Refusal(404)
                    message = {"role": "assistant", "content": chat.answer(body)}
                    content = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
                    status, content = 200, json.dumps({"id": "1", "model": body["model"], "created": 0, **content})
                except Refusal as refusal:
                    status, content = refusal.status, refusal.body
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(content.encode())

            def log_message(self, *words):
                pass

        return Handler


class Refusal(Exception):
    """Raised by a scripted answer: the server sends this status and body instead of a reply."""

    def __init__(self, status: int, body: str = '{"error": "no"}'):
        super().__init__(status)
        self.status, self.body = status, body


def prompt_of(body: dict, turn: int = -1) -> str:
    """The text of a message of a request, by default the last."""
    content = body["messages"][turn]["content"]
    return content if isinstance(content, str) else content[-1]["text"]


def asks_for(body: dict) -> str:
    """Which of the three requests a conversation makes: "sentence", "image" or "objects"."""
    prompt = prompt_of(body, turn=0)
    return "objects" if "were found" in prompt else "image" if "actions in the image" in prompt else "sentence"
