"""What a recipe holds: every setting of the training (§4, Appendix A), typed, and checked before anything starts.

Each section is handed to the stage that it is named after, and nothing else is: a stage can be run from Python
with a section made by hand.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "DistillSettings",
    "GrpoSettings",
    "HardwareSettings",
    "LoraSettings",
    "ModelSettings",
    "NanoModel",
    "NanoSettings",
    "QuerySettings",
    "Recipe",
    "RewardSettings",
    "SftSettings",
    "WorkerSettings",
]


class _Section(BaseModel):
    """A section: unknown keys and wrong types are errors, and nothing changes later."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class LoraSettings(_Section):
    """Low-rank adapters instead of all weights (PEFT)."""

    rank: int = Field(default=64, ge=1)
    """Rank of the adapters."""
    alpha: int = Field(default=128, ge=1)
    """Scale of the adapters: ``alpha / rank``."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Dropout on the adapters' input."""
    targets: str | tuple[str, ...] = "all-linear"
    """Modules that get an adapter, as PEFT names them."""
    four_bit: bool = False
    """QLoRA: the frozen weights in 4 bits (needs bitsandbytes, and a GPU)."""


class ModelSettings(_Section):
    """The meta-agent that is trained."""

    name: str
    """Hugging Face name or path of the base model."""
    dtype: Literal["bfloat16", "float32"] = "bfloat16"
    """Number format of the weights."""
    parameters: float | None = Field(default=None, gt=0)
    """Parameters in billions, for the plan; read from the checkpoint where it is at hand."""
    chat_template: Path | Literal["own", "r1-distill"] = "own"
    """The model's own template; TRL's R1-distill training template, which keeps earlier thoughts; or a file."""
    lora: LoraSettings | None = None
    """Adapters; all weights are trained without."""
    gradient_checkpointing: bool = True
    """Trade time for memory."""


class QuerySettings(_Section):
    """The queries that the meta-agent is trained on."""

    benchmark: str
    """Name of a benchmark, e.g. ``humaneval``; `flowreasoner plugins` lists them."""
    data: Path | None = None
    """The benchmark's file, where it does not come with the package."""
    count: int | None = Field(default=None, ge=1)
    """Queries at most, drawn by the seed; all of them unless given."""
    tests: Literal["public", "split", "all"] | None = None
    """How a benchmark's tests are divided; unless given, as the benchmark states them."""


class WorkerSettings(_Section):
    """The worker, and what one run of a workflow may cost."""

    model: str
    """URI of the worker, e.g. ``openai:gpt-4o-mini``."""
    calls: int = Field(default=50, ge=1)
    """Operator calls per run."""
    evaluations: int = Field(default=3, ge=1)
    """Runs per workflow (Appendix A: 3)."""
    concurrency: int = Field(default=32, ge=1)
    """Runs of workflows at the same time."""
    sandbox: str | None = None
    """Tier of the sandbox; the strongest that isolates unless given."""


class RewardSettings(_Section):
    """Weights of the multi-purpose reward (§4.2), by term; terms come from hooks."""

    weights: dict[str, float] = Field(
        default_factory=lambda: {"performance": 1.0, "simplicity": 0.1, "diversity": 0.1, "efficiency": 0.0}
    )
    """Weight by term."""


class DistillSettings(_Section):
    """Reasoning distillation from a teacher (§4.1, Eq. 1)."""

    teacher: str
    """URI of the teacher, e.g. ``deepseek:deepseek-reasoner``."""
    rounds: int = Field(default=10, ge=1)
    """Rounds per query."""
    trajectories: int = Field(default=1, ge=1)
    """Independent design runs per query."""
    concurrency: int = Field(default=8, ge=1)
    """Design runs at the same time."""
    budget_usd: float | None = Field(default=None, gt=0)
    """US dollars at most, for everything together."""
    min_score: float = Field(default=1.0, ge=0, le=1)
    """Least score of a trajectory's best round; others are rejected."""
    max_tokens: int = Field(default=16_384, ge=1)
    """Longest trajectory, in tokens of the meta-agent's tokenizer where it is at hand, else four characters each."""
    early_stop: bool = True
    """End a design run at its first perfect round."""


class SftSettings(_Section):
    """Supervised fine-tuning on the distilled trajectories (Eq. 2; Appendix A)."""

    learning_rate: float = Field(default=1e-5, gt=0)
    """Peak learning rate."""
    epochs: float = Field(default=3.0, gt=0)
    """Passes over the trajectories."""
    batch_size: int = Field(default=1, ge=1)
    """Trajectories per device and step."""
    accumulation: int = Field(default=2, ge=1)
    """Steps whose gradients are added up."""
    warmup: float = Field(default=0.1, ge=0, lt=1)
    """Share of the steps in which the learning rate rises; then it falls by a cosine."""
    max_tokens: int = Field(default=16_384, ge=1)
    """Longest trajectory; longer ones are left out, and counted."""
    save_steps: int = Field(default=100, ge=1)
    """Steps between checkpoints."""


class GrpoSettings(_Section):
    """GRPO with a reward per round (§4.2, Eq. 3 and 4; Appendix A)."""

    group_size: int = Field(default=5, ge=2)
    """Trajectories per query, G (§5: 5)."""
    queries_per_step: int = Field(default=8, ge=1)
    """Queries per optimizer step, over all devices."""
    epochs: float = Field(default=5.0, gt=0)
    """Passes over the queries (Appendix A: 5)."""
    max_steps: int | None = Field(default=None, ge=1)
    """Optimizer steps at most."""
    rounds: int = Field(default=10, ge=1)
    """Rounds per trajectory, l."""
    early_stop: bool = False
    """End a trajectory at its first perfect round, as inference does; the paper does not say."""
    evaluations: int | None = Field(default=None, ge=1)
    """Runs per workflow; ``worker.evaluations`` unless given. More of them make a steadier reward."""
    learning_rate: float = Field(default=1e-6, gt=0)
    """Learning rate; not given in the paper."""
    advantage: Literal["rounds", "outcome"] = "rounds"
    """Eq. 4; or ordinary GRPO on the mean of a trajectory's round rewards, for comparison."""
    discount: float = Field(default=1.1, gt=0)
    """k of Eq. 4: round j weighs k^j (Appendix A: 1.1)."""
    excluded_rounds: int = Field(default=3, ge=0)
    """T of Eq. 4: the first T rounds are left out of the sums (Appendix A: 3)."""
    scope: Literal["subsequent", "trajectory"] = "subsequent"
    """Which rounds a round's tokens are credited with: its own and later ones, or all (Eq. 4 to the letter)."""
    statistics: Literal["all", "kept"] = "all"
    """Rounds that mean and deviation are taken over: all, or those that Eq. 4 keeps."""
    scale: Literal["group", "none"] = "group"
    """Divide by the deviation, as Eq. 4 does; or not, so that a query whose workflows hardly differ counts little."""
    center: Literal["none", "round"] = "none"
    """Subtract the group's mean advantage of the same round (a departure from the paper)."""
    count_invalid: bool = True
    """Credit invalid workflows in the first T rounds, too: a departure from the paper, without which they collapse."""
    clip: float = Field(default=0.2, gt=0)
    """Clip range of the probability ratio."""
    beta: float = Field(default=0.05, ge=0)
    """Weight of the KL divergence from the SFT model."""
    iterations: int = Field(default=1, ge=1)
    """Optimizer steps per batch of rollouts."""
    temperature: float = Field(default=1.0, gt=0)
    """Sampling temperature of the meta-agent."""
    round_tokens: int = Field(default=4_096, ge=1)
    """Tokens that the meta-agent may write per round."""
    max_tokens: int = Field(default=65_536, ge=1)
    """Tokens of a whole trajectory, feedback included."""
    micro_batch: int = Field(default=1, ge=1)
    """Trajectories per device in one forward pass."""
    max_grad_norm: float = Field(default=1.0, gt=0)
    """Gradients are scaled down to this norm."""
    warmup_steps: int = Field(default=3, ge=0)
    """Steps in which the learning rate rises."""
    schedule: Literal["constant", "linear"] = "constant"
    """What the learning rate does then: it stays, or falls to 0 at the last step."""
    save_steps: int = Field(default=10, ge=1)
    """Steps between checkpoints."""


class HardwareSettings(_Section):
    """What the training runs on."""

    device: Literal["cpu", "a100-80gb", "h100-80gb"] = "a100-80gb"
    """Kind of device."""
    gpus: int = Field(default=8, ge=0)
    """GPUs per node that train."""
    nodes: int = Field(default=1, ge=1)
    """Machines."""
    sharding: Literal["none", "zero3", "fsdp2"] = "none"
    """How weights and optimizer are divided over the GPUs."""
    offload: bool = False
    """Keep the optimizer in the host's memory (``zero3``): slow, but all weights can be trained on one GPU."""
    generation: Literal["transformers", "embedded", "vllm-colocate", "vllm-server"] = "transformers"
    """What samples the rollouts; ``embedded`` is this package's own runtime, for small Llamas on a CPU."""
    vllm_memory: float = Field(default=0.3, gt=0, lt=1)
    """Share of each GPU's memory that vLLM takes beside the training (``vllm-colocate``)."""
    tensor_parallel: int = Field(default=1, ge=1)
    """GPUs that one vLLM engine is divided over."""
    server: str = "http://localhost:8000"
    """Address of the vLLM server (``vllm-server``)."""
    server_gpus: int = Field(default=1, ge=1)
    """GPUs of the vLLM server, besides those that train (``vllm-server``)."""
    threads: int | None = Field(default=None, ge=1)
    """CPU threads of torch; its own choice unless given."""


class NanoModel(_Section):
    """A small Llama that is trained from scratch."""

    width: int = Field(default=192, ge=32, multiple_of=32)
    """Size of its hidden states."""
    layers: int = Field(default=4, ge=1)
    """Transformer blocks."""
    vocabulary: int = Field(default=1_536, ge=512)
    """Tokens of its tokenizer."""
    positions: int = Field(default=2_048, ge=256)
    """Longest sequence, in tokens."""


class NanoSettings(_Section):
    """The miniature: what comes before distillation where both models are trained from scratch."""

    worker: NanoModel = Field(default_factory=NanoModel)
    """The worker."""
    meta_agent: NanoModel = Field(default_factory=NanoModel)
    """The meta-agent, before it has learned anything."""
    lessons: int = Field(default=40_000, ge=100)
    """Lessons of the worker."""
    readings: int = Field(default=25_000, ge=0)
    """Queries that the meta-agent reads, to learn what they ask for, before it learns to design."""
    learning_rate: float = Field(default=2e-3, gt=0)
    """Peak learning rate of lessons and readings."""
    batch_tokens: int = Field(default=3_000, ge=512)
    """Tokens per step of lessons and readings."""


class Recipe(_Section):
    """A whole training, from queries to a trained meta-agent."""

    name: str
    """Short name."""
    description: str
    """What it is for, in a sentence."""
    model: ModelSettings
    queries: QuerySettings
    worker: WorkerSettings
    rewards: RewardSettings = Field(default_factory=RewardSettings)
    distill: DistillSettings
    sft: SftSettings = Field(default_factory=SftSettings)
    grpo: GrpoSettings = Field(default_factory=GrpoSettings)
    hardware: HardwareSettings = Field(default_factory=HardwareSettings)
    nano: NanoSettings | None = None
    """Models that are trained from scratch on the way (``nano:``); none for ordinary models."""
    seed: int = Field(default=0, ge=0)
    """Seed of every draw."""

    @property
    def grpo_evaluations(self) -> int:
        """Runs per workflow in GRPO."""
        return self.grpo.evaluations or self.worker.evaluations
