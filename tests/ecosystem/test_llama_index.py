"""LlamaIndex on miniloop, with its own mock model: nothing is fetched from anywhere."""

import asyncio
from typing import Any

import pytest
from llama_index.core import Document, MockEmbedding, SummaryIndex, VectorStoreIndex
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.llms import ChatMessage, MockLLM
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.workflow import Context, Event, StartEvent, StopEvent, Workflow, step

from tests.ecosystem.on_interop import assert_on_miniloop, run

# What workflows asks of asyncio, not of the loop.
pytestmark = pytest.mark.filterwarnings("ignore:'asyncio.iscoroutinefunction':DeprecationWarning")

WORDS = 8


@pytest.fixture
def llm() -> MockLLM:
    """A model that says "text" so many times."""
    return MockLLM(max_tokens=WORDS)


ANSWER = " ".join(["text"] * WORDS)


def test_completions_side_by_side(llm: MockLLM) -> None:
    async def main() -> None:
        answers = await asyncio.gather(*[llm.acomplete(f"question {n}") for n in range(20)])
        assert {answer.text for answer in answers} == {ANSWER}
        chunks = [chunk.delta async for chunk in await llm.astream_complete("again")]
        assert (len(chunks), "".join(filter(None, chunks)).strip()) == (WORDS, ANSWER)
        assert (await llm.achat([ChatMessage("hello")])).message.content

    run(main())


def test_a_streaming_chat(llm: MockLLM) -> None:
    async def main() -> None:
        # The default memory is a database that nobody closes.
        memory = ChatMemoryBuffer.from_defaults(llm=llm)
        engine = SimpleChatEngine.from_defaults(llm=llm, memory=memory)
        for turn in (1, 2):
            response = await engine.astream_chat("hello")
            tokens = [token async for token in response.async_response_gen()]
            assert "".join(tokens).strip() == ANSWER
            assert len(engine.chat_history) == 2 * turn  # what was asked, and what came

    run(main())


def test_queries_of_a_small_index(llm: MockLLM) -> None:
    documents = [Document(text=f"Document {n} is about the number {n}.") for n in range(6)]
    vectors = VectorStoreIndex.from_documents(documents, embed_model=MockEmbedding(embed_dim=4))

    async def main() -> None:
        engine = vectors.as_query_engine(llm=llm, similarity_top_k=3)
        answers = await asyncio.gather(*[engine.aquery(f"number {n}?") for n in range(5)])
        for answer in answers:
            assert str(answer) == ANSWER
            assert len(answer.source_nodes) == 3
        # One call of the model for each chunk, side by side, and one to sum them up.
        summary = SummaryIndex.from_documents(documents)
        engine = summary.as_query_engine(llm=llm, response_mode="tree_summarize", use_async=True)
        assert str(await engine.aquery("all of it?")) == ANSWER

    run(main())


class Part(Event):
    number: int


class Squared(Event):
    number: int
    square: int


class SumOfSquares(Workflow):
    """Steps that run in parallel: each waits until all its workers are there."""

    def __init__(self, workers: int, **options: Any) -> None:
        super().__init__(**options)
        self.workers, self.there, self.all_there = workers, 0, asyncio.Event()

    @step
    async def share_out(self, context: Context, event: StartEvent) -> Part | None:
        assert_on_miniloop()
        for number in range(self.workers):
            context.send_event(Part(number=number))
        return None

    @step(num_workers=6)
    async def square(self, context: Context, event: Part) -> Squared:
        assert_on_miniloop()
        self.there += 1
        if self.there == self.workers:
            self.all_there.set()
        await self.all_there.wait()
        context.write_event_to_stream(event)
        return Squared(number=event.number, square=event.number**2)

    @step
    async def add_up(self, context: Context, event: Squared) -> StopEvent | None:
        squares = context.collect_events(event, [Squared] * self.workers)
        if squares is None:
            return None
        return StopEvent(result=sum(squared.square for squared in squares))


def test_a_workflow_with_parallel_steps() -> None:
    async def main() -> None:
        handler = SumOfSquares(6, timeout=20).run()
        seen = [event.number async for event in handler.stream_events() if hasattr(event, "number")]
        assert await handler == sum(n * n for n in range(6))
        assert sorted(seen) == list(range(6))

    run(main())


def test_a_workflow_that_takes_too_long() -> None:
    async def main() -> None:
        handler = SumOfSquares(7, timeout=0.05).run()  # one more than there are workers
        with pytest.raises(Exception, match="timed out"):
            await handler

    run(main())


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Name lookups fail, so that a download would be seen."""

    def refuse(host: Any, *args: Any, **options: Any) -> Any:
        raise AssertionError(f"the network is not to be used: {host}")

    monkeypatch.setattr("socket.getaddrinfo", refuse)
