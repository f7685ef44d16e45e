"""``hf:PATH``, any local checkpoint through transformers: concurrent requests are answered in batches.

Each request has a random stream of its own, seeded by its key, and draws its tokens with it: what else is in
flight decides nothing. One thing is shared, the rounding of a batched computation, which may turn a draw that falls
on the edge between two tokens; ``?batch=1`` rules that out, at the price of speed.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import threading
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import FlowReasonerError, ModelError, ModelRefused
from flowreasoner.models.base import Completion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flowreasoner.models.base import ChatRequest
    from flowreasoner.models.uri import ModelContext, ModelURI
    from flowreasoner_training.generation import Generator

__all__ = ["HFModel", "hf_model_from_uri"]

_OPTIONS = ("batch", "device", "dtype", "max_tokens", "temperature", "top_p")
_DTYPES = ("auto", "bfloat16", "float16", "float32")
_SAMPLE = 1 << 16


def hf_model_from_uri(uri: ModelURI, _: ModelContext) -> HFModel:
    """Makes the model of an ``hf:`` URI.

    Args:
        uri: The name is a folder with a checkpoint. Options: ``temperature`` (1; 0 takes the likeliest token),
            ``top_p`` (1), ``max_tokens`` per reply (4096), ``batch`` (16), ``device`` (a GPU if there is one),
            ``dtype`` (the checkpoint's).

    Raises:
        ModelRefused: If an option is unknown or out of range, or the folder holds no checkpoint.
    """
    uri.expect(_OPTIONS)
    dtype = uri.options.get("dtype", "auto")
    if dtype not in _DTYPES:
        raise ModelRefused(f"the option dtype of {uri} must be one of {', '.join(_DTYPES)}, not {dtype!r}")
    top_p = uri.number("top_p", 1.0) or 0.0
    if not 0 < top_p <= 1:
        raise ModelRefused(f"the option top_p of {uri} must be above 0 and at most 1, not {top_p:g}")
    return HFModel(
        Path(uri.name).expanduser(),
        temperature=uri.number("temperature", 1.0, least=0.0) or 0.0,
        top_p=top_p,
        max_tokens=uri.whole("max_tokens", 4096, least=1) or 0,
        batch=uri.whole("batch", 16, least=1) or 0,
        device=uri.options.get("device", "auto"),
        dtype=dtype,
    )


@dataclass
class _Waiting:
    """A request in the queue, with the future that its caller waits for."""

    request: ChatRequest
    future: asyncio.Future[Completion]


class HFModel:
    """A checkpoint on this machine as a chat model. Its weights are loaded with the first request.

    Args:
        path: Folder of the checkpoint, with its tokenizer and chat template.
        temperature: Of sampling; 0 takes the likeliest token.
        top_p: Sample from the likeliest tokens that have this share of the probability together.
        max_tokens: Tokens that a reply may have.
        batch: Requests that are answered at the same time.
        device: ``auto``, or as torch names it.
        dtype: ``auto`` for the checkpoint's, or as torch names it.

    Raises:
        ModelRefused: If the folder holds no checkpoint.
    """

    simulated = False

    def __init__(
        self,
        path: Path,
        *,
        temperature: float = 1.0,
        top_p: float = 1.0,
        max_tokens: int = 4096,
        batch: int = 16,
        device: str = "auto",
        dtype: str = "auto",
    ) -> None:
        self.path, self.batch = path, batch
        self._sampling = (temperature, top_p, max_tokens)
        self._place = (device, dtype)
        # The weights are in the name, as completions are cached by it, and a folder may be trained anew.
        self.name = (
            f"hf:{path.name}@{_digest(path)}?temperature={temperature:g}&top_p={top_p:g}&max_tokens={max_tokens}"
        )
        self._generator: Generator | None = None
        self._queue: list[_Waiting] = []
        self._serving: asyncio.Task[None] | None = None

    async def complete(self, request: ChatRequest) -> Completion:
        """Answers a request, together with others that are waiting.

        Raises:
            ModelRefused: If the checkpoint cannot be loaded, or has no chat template.
            RequestRefused: If the conversation is too long for the model, or its template refuses it.
        """
        waiting = _Waiting(request, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        if self._serving is None or self._serving.done():
            self._serving = asyncio.create_task(self._serve())
        return await waiting.future

    async def aclose(self) -> None:
        """Ends what is being generated, and lets go of the weights, which stay loaded for others that use them."""
        if self._serving is not None and not self._serving.done():
            self._serving.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)
        self._generator = None

    async def _serve(self) -> None:
        """Answers what is waiting, batch by batch, until nothing is."""
        ended = threading.Event()
        try:
            while self._queue:
                await asyncio.sleep(0)  # let requests that start at the same time arrive
                batch, self._queue = self._queue[: self.batch], self._queue[self.batch :]
                batch = [item for item in batch if not item.future.done()]  # whoever gave up needs no answer
                answers = await asyncio.to_thread(self._answer, [item.request for item in batch], ended)
                for item, answer in zip(batch, answers, strict=True):
                    if item.future.done():
                        continue
                    if isinstance(answer, Exception):
                        item.future.set_exception(answer)
                    else:
                        item.future.set_result(answer)
        except BaseException as error:
            ended.set()
            failed = error if isinstance(error, ModelError) else ModelError(f"{self.name} failed: {error!r:.200}")
            left, self._queue = [*batch, *self._queue], []
            for item in left:
                if not item.future.done():
                    item.future.cancel() if isinstance(error, asyncio.CancelledError) else item.future.set_exception(
                        failed
                    )
            if isinstance(error, asyncio.CancelledError):
                raise

    def _answer(self, requests: Sequence[ChatRequest], ended: threading.Event) -> list[Completion | Exception]:
        """Answers requests in a thread; each comes back as its completion, or the error that concerns it alone."""
        if not requests:
            return []
        generator = self._generator = self._generator or _load(self.path, *self._place)
        temperature, top_p, max_tokens = self._sampling
        prompts: list[Any] = []
        for request in requests:
            try:
                request.permit()
                prompts.append(generator.prompt([{"role": m.role, "content": m.content} for m in request.messages]))
            except FlowReasonerError as error:
                prompts.append(error)
        good = [index for index, prompt in enumerate(prompts) if not isinstance(prompt, Exception)]
        streams = [random.Random(requests[index].key(self.name)) for index in good]  # noqa: S311 - reproducible
        replies = generator.generate(
            [prompts[index] for index in good], streams, temperature, top_p, max_tokens, ended.is_set
        )
        answers: list[Completion | Exception] = list(prompts)
        for index, reply in zip(good, replies, strict=True):
            answers[index] = Completion(reply.text, "", reply.read, reply.written, usd=0.0)
        return answers


_loading = threading.Lock()
_loaded: weakref.WeakValueDictionary[tuple[Path, str, str], Generator] = weakref.WeakValueDictionary()


def _load(path: Path, device: str, dtype: str) -> Generator:
    """Loads a checkpoint once for all models that use it at the time; meta-agent and worker may be one."""
    from flowreasoner_training.generation import Generator

    with _loading:  # loading changes what is the whole process's: two at a time leave weights out without a word
        generator = _loaded.get((path, device, dtype))
        if generator is None:
            generator = _loaded[path, device, dtype] = Generator(path, device, dtype)
        return generator


def _digest(path: Path) -> str:
    """Returns a hash over samples of a checkpoint's files: training changes all weights, so that a part will do.

    Raises:
        ModelRefused: If the folder holds no checkpoint.
    """
    try:
        files = sorted(item for item in path.iterdir() if item.suffix in {".safetensors", ".json", ".jinja"})
        if not (path / "config.json").is_file() or not any(item.suffix == ".safetensors" for item in files):
            raise ModelRefused(
                f"{str(path)!r} holds no checkpoint (config.json and *.safetensors); give the folder of one, "
                "e.g. hf:out/model"
            )
        digest = hashlib.sha256()
        for item in files:
            size = item.stat().st_size
            digest.update(f"{item.name} {size}\n".encode())
            with item.open("rb") as file:
                for share in range(8):
                    file.seek(max(0, size - _SAMPLE) * share // 7)
                    digest.update(file.read(_SAMPLE))
    except OSError as error:
        raise ModelRefused(
            f"there is no checkpoint at {str(path)!r}: {error.strerror}; hf: takes the path of a folder"
        ) from None
    return digest.hexdigest()[:12]
