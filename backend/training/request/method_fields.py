"""The start request of the enhanced tab: what the shared fields lack for learning from rewards.

Field names are those outside scripts send. Which of them a method takes stands in
`methods_table.py`.
"""

from __future__ import annotations

import copy
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, ModelWrapValidatorHandler, model_validator

from backend.core.limits import Count, Whole
from backend.training.request.coercion import comma_list, empty_if_null, known_method, weights
from backend.training.request.common_fields import ADAPTER_NAME, Preset, form
from backend.training.request.method import Method
from backend.training.request.methods_table import METHODS
from backend.training.request.start_request import StartRequest

ImportanceLevel = Literal["token", "sequence"]
GrpoLoss = Literal["grpo", "bnpo", "dr_grpo"]
PreferenceLoss = Literal["sigmoid", "hinge", "ipo", "dpop"]
DslaLoss = Literal["dpo", "orpo", "cpo"]
LatentVariant = Literal["similarity", "direction", "both"]
LatentPooling = Literal["answer_mean", "last_token", "last_k_mean", "prompt_answer_mean"]
LatentLayer = Literal["final", "middle", "late"]
KlpoRoute = Literal["token", "sequence"]
KlEstimator = Literal["mc", "topk", "binary", "full"]

MOST_UPDATES = 16
_NAME_OR_EMPTY = f"^({ADAPTER_NAME.strip('^$')})?$"


def _shared(name: str, default: Any, **changes: Any) -> Any:
    """A field of both tabs with another default here; rules, title and help stay the same."""
    field = copy.copy(StartRequest.model_fields[name])
    for key, value in {"default": default, **changes}.items():
        setattr(field, key, value)
    return field


def _mark_methods(schema: dict[str, Any]) -> None:
    """Say of each parameter of the table which methods it has an effect in (`form_hints.py`)."""
    for name, field in schema["properties"].items():
        methods = [row.id for row in METHODS.values() if name in row.params]
        if methods:
            field["when"] = {**field.get("when", {}), "training_method": methods}


class EnhancedStart(StartRequest):
    """POST /api/training/start-enhanced. A field that the method does not use is named in the
    warnings when it is given another value than its default.
    """

    model_config = ConfigDict(json_schema_extra=_mark_methods)

    training_method: Annotated[str, BeforeValidator(known_method)] = Field(
        title="Method",
        description="How to train: an id of GET /api/training/methods.",
        json_schema_extra={**form("method"), "enum": list(METHODS)},
    )
    val_data_path: Annotated[str, BeforeValidator(empty_if_null)] = _shared("val_data_path", "")
    adapter_name: Annotated[str, BeforeValidator(empty_if_null)] = Field(
        "",
        pattern=_NAME_OR_EMPTY,
        title="Adapter name",
        description="Letters, digits, dot, dash and underscore; empty: run_ and the time.",
        json_schema_extra=form("parameters"),
    )
    learning_rate: float = _shared("learning_rate", 1e-5, description="Usually from 1e-6 to 1e-4.")
    max_seq_length: int = _shared(
        "max_seq_length",
        2048,
        description="Rows are cut here; prompts that answers are sampled to must be shorter.",
    )
    iterations: int = _shared("iterations", 100, description="Batches of prompts or rows.")
    steps_per_report: int = _shared("steps_per_report", 10)
    steps_per_eval: int = _shared("steps_per_eval", 25)
    save_every: int = _shared("save_every", 100)
    val_batches: int = _shared(
        "val_batches",
        -1,
        description="Batches per evaluation; -1 is the whole validation set. Methods that sample "
        "have to write answers to its prompts, so their default is 25.",
    )
    lora_keys: Preset | list[str] = _shared("lora_keys", "qv")

    group_size: int = Field(
        4,
        ge=2,
        le=16,
        title="Group size",
        description="Answers sampled to each prompt and compared with each other. Up to 16 answers "
        "are decoded together, over all prompts of a batch.",
        json_schema_extra=form("rollouts", unit="answers"),
    )
    temperature: float = Field(
        0.8,
        ge=0,
        le=2,
        title="Temperature",
        description="How varied the sampled answers are. At 0 all of a group are the same, and "
        "nothing is learned.",
        json_schema_extra=form("rollouts"),
    )
    top_p: float = Field(
        0.95,
        gt=0,
        le=1,
        title="Top-p",
        description="Sample from the likeliest tokens that make up this share; 1 is all.",
        json_schema_extra=form("rollouts", level="advanced"),
    )
    top_k: Whole = Field(
        20,
        title="Top-k",
        description="Sample from so many of the likeliest tokens; 0 is all.",
        json_schema_extra=form("rollouts", level="advanced"),
    )
    min_p: float = Field(
        0.0,
        ge=0,
        le=1,
        title="Min-p",
        description="Leave out tokens below this share of the likeliest one; 0 leaves out none.",
        json_schema_extra=form("rollouts", level="advanced"),
    )
    max_completion_length: Count = Field(
        512,
        title="Max answer length",
        description="Sampling ends here; answers that are cut rarely earn a reward.",
        json_schema_extra=form("rollouts", unit="tokens"),
    )
    beta: float = Field(
        0.1,
        ge=0,
        title="Beta",
        description="Pull towards the untouched model. In GRPO and its kin the weight of the KL "
        "penalty, where 0 is none; in DPO and its kin how sharply pairs are told apart.",
        json_schema_extra=form("objective"),
    )
    updates_per_rollout: int = Field(
        1,
        ge=1,
        le=MOST_UPDATES,
        title="Updates per rollout",
        description="Weight updates on each batch of sampled answers. 1 is the engine's own way; "
        "from 2 on the ratio is clipped as the papers have it.",
        json_schema_extra=form("objective"),
    )
    epsilon: float = Field(
        1e-4,
        gt=0,
        lt=1,
        title="Epsilon",
        description="How far the ratio of new to old likelihood counts, downwards; upwards too "
        "where epsilon high is empty. 0.2 is usual for token ratios, 3e-4 for GSPO.",
        json_schema_extra=form("objective"),
    )
    epsilon_high: float | None = Field(
        None,
        gt=0,
        title="Epsilon high",
        description="The same upwards, if it is to be wider (clip-higher).",
        json_schema_extra=form("objective", level="advanced"),
    )
    importance_sampling_level: ImportanceLevel | None = Field(
        None,
        title="Ratio",
        description="One ratio per token or per answer; empty is the method's own.",
        json_schema_extra=form("objective", level="advanced"),
    )
    grpo_loss_type: GrpoLoss | None = Field(
        None,
        title="Normalisation",
        description="grpo: mean per answer. bnpo: mean over all tokens of the batch. dr_grpo: a "
        "constant. Empty is the method's own.",
        json_schema_extra=form("objective", level="advanced"),
    )
    preference_loss: PreferenceLoss = Field(
        "sigmoid",
        title="Loss",
        description="sigmoid: the original. hinge: a margin. ipo: guards against overfitting. "
        "dpop: keeps the chosen answers likely.",
        json_schema_extra=form("objective", level="advanced"),
    )
    delta: float = Field(
        50.0,
        ge=0,
        title="Delta",
        description="Strength of dpop's guard.",
        json_schema_extra=form("objective", level="advanced", when={"preference_loss": ["dpop"]}),
    )
    dsla_loss: DslaLoss = Field(
        "dpo",
        title="Preference loss",
        description="What the hidden states are added to; only dpo compares with the untouched "
        "model.",
        json_schema_extra=form("objective"),
    )
    latent_weight: float = Field(
        0.1,
        ge=0,
        title="Latent weight",
        description="Weight of the term on hidden states.",
        json_schema_extra=form("objective"),
    )
    latent_margin: float = Field(
        0.05,
        ge=0,
        title="Latent margin",
        description="By how much more alike a prompt and its chosen answer should be.",
        json_schema_extra=form("objective", level="advanced"),
    )
    latent_gamma: float = Field(
        10.0,
        gt=0,
        title="Latent sharpness",
        description="How sharply the margin is drawn.",
        json_schema_extra=form("objective", level="advanced"),
    )
    latent_variant: LatentVariant = Field(
        "both",
        title="Latent term",
        description="Likeness to the prompt, a common direction within the batch, or both.",
        json_schema_extra=form("objective", level="advanced"),
    )
    latent_pooling: LatentPooling = Field(
        "answer_mean",
        title="Latent pooling",
        description="Which positions stand for an answer.",
        json_schema_extra=form("objective", level="advanced"),
    )
    latent_layer: LatentLayer = Field(
        "final",
        title="Latent layer",
        description="Where in the model the hidden states are taken.",
        json_schema_extra=form("objective", level="advanced"),
    )
    xpo_alpha: float = Field(
        1e-5,
        ge=0,
        title="Exploration",
        description="Weight of the bonus for answers the untouched model would not give.",
        json_schema_extra=form("objective"),
    )
    klpo_route: KlpoRoute = Field(
        "token",
        title="Regression",
        description="Per token or per answer.",
        json_schema_extra=form("objective", level="advanced"),
    )
    klpo_kl_estimator: KlEstimator = Field(
        "mc",
        title="KL estimate",
        description="mc: by extra draws. topk: on the likeliest tokens. binary: sampled token "
        "against the rest. full: exact.",
        json_schema_extra=form("objective", level="advanced"),
    )
    klpo_mc_samples: Count = Field(
        128,
        title="KL draws",
        description="Extra draws per token for the mc estimate.",
        json_schema_extra=form("objective", level="advanced", when={"klpo_kl_estimator": ["mc"]}),
    )
    klpo_top_k: Count = Field(
        128,
        title="KL tokens",
        description="Likeliest tokens kept for the topk estimate.",
        json_schema_extra=form("objective", level="advanced", when={"klpo_kl_estimator": ["topk"]}),
    )
    klpo_tail_floor: float = Field(
        1e-6,
        gt=0,
        lt=1,
        title="KL tail",
        description="Least probability of all other tokens in the topk estimate.",
        json_schema_extra=form("objective", level="advanced", when={"klpo_kl_estimator": ["topk"]}),
    )
    ftpo_margin: float = Field(
        2.0,
        gt=0,
        title="Margin",
        description="By how many logits a wanted token is to lead the rejected one; once it does, "
        "it is pushed no further.",
        json_schema_extra=form("objective"),
    )
    ftpo_rest_weight: float = Field(
        0.4,
        ge=0,
        title="Hold on the rest",
        description="Weight of what keeps all other tokens as likely as they were.",
        json_schema_extra=form("objective", level="advanced"),
    )
    ftpo_target_weight: float = Field(
        0.05,
        ge=0,
        title="Hold on the named",
        description="Weight of what keeps the wanted and the rejected tokens near where they were.",
        json_schema_extra=form("objective", level="advanced"),
    )
    ftpo_target_slack: float = Field(
        1.0,
        ge=0,
        title="Slack of the named",
        description="Logits that those may move before they are held.",
        json_schema_extra=form("objective", level="advanced"),
    )
    judge: str = Field(
        "",
        title="Judge",
        description="Model that judges the answers: a folder or a name of the model list. Empty: "
        "the untouched base model.",
        json_schema_extra=form("rewards"),
    )
    judge_system_prompt: str = Field(
        "",
        max_length=20_000,
        title="Judge's instructions",
        description="What the judge is told; empty: the engine's own text.",
        json_schema_extra=form("rewards", level="advanced"),
    )
    reference_model_path: str = Field(
        "",
        title="Reference model",
        description="What the run is pulled towards. Empty: the untouched base model.",
        json_schema_extra=form("objective", level="advanced"),
    )
    reward_functions: Annotated[str, BeforeValidator(comma_list)] = Field(
        "",
        title="Reward functions",
        description="Names, separated by commas. Empty: the engine's five, which look for "
        "<think> and <answer>.",
        json_schema_extra=form("rewards"),
    )
    reward_weights: Annotated[list[float] | None, BeforeValidator(weights)] = Field(
        None,
        title="Weights",
        description="One number for each reward function. Empty: 1 each.",
        json_schema_extra=form("rewards"),
    )
    reward_functions_file: str = Field(
        "",
        title="Own functions",
        description="A Python file with reward functions. It runs with your rights, so it must "
        "have been trusted as it is now.",
        json_schema_extra=form("rewards", level="advanced"),
    )
    success_function: str = Field(
        "",
        title="Success",
        description="The reward function whose maximum counts as a success. Empty: no rate.",
        json_schema_extra=form("rewards"),
    )
    sample_completions: int = Field(
        2,
        ge=0,
        le=20,
        title="Answers shown",
        description="Sampled answers kept with each report, with their scores.",
        json_schema_extra=form("rewards", level="advanced"),
    )

    @model_validator(mode="wrap")
    @classmethod
    def _as_the_method_has_it(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Fields left out take the method's default where it has one of its own; they count as
        left out all the same.
        """
        method = METHODS.get(value.get("training_method")) if _is_named(value) else None
        if method is None:
            return handler(value)
        request = handler({**method.defaults, **value})
        request.__pydantic_fields_set__ -= method.defaults.keys() - value.keys()
        return request

    @property
    def method(self) -> Method:
        return METHODS[self.training_method]

    @property
    def decoded_at_once(self) -> int:
        """Answers that a step decodes together."""
        return self.method.decoded_at_once(self.batch_size, self.group_size)


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("training_method"), str)
