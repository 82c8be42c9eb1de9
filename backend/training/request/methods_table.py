"""The training methods of the enhanced tab: one row each, and a new method is one more row.

The form, the validation, `GET /api/training/methods` and docs/training-methods.md are made of it.
Parameters are named here only; their type, default, range and help are those of the field of that
name in `method_fields.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from backend.training.request.method import Method

_SAMPLING = ("temperature", "top_p", "top_k", "min_p", "max_completion_length")
_REWARDS = (
    "reward_functions", "reward_weights", "reward_functions_file", "success_function",
    "sample_completions",
)  # fmt: skip
_POLICY = (
    "group_size", *_SAMPLING, "beta", "updates_per_rollout", "epsilon", "epsilon_high",
    "importance_sampling_level", "grpo_loss_type", *_REWARDS, "reference_model_path",
)  # fmt: skip
_PAIRS = ("beta", "preference_loss", "delta", "reference_model_path")
_NEXT_TOKEN = (
    "ftpo_margin", "ftpo_rest_weight", "ftpo_target_weight", "ftpo_target_slack",
    "reference_model_path",
)  # fmt: skip
_JUDGED = ("max_completion_length", "beta", "judge", "judge_system_prompt", *_REWARDS)

_SAMPLED = {"val_batches": 25}

ONE_UPDATE = (
    "With one update per rollout every rollout is used once and nothing is clipped: Epsilon and "
    "Epsilon high do nothing, and token and sequence ratios give equal gradients."
)
_JUDGE = (
    "Reward functions judge where they are named; else a model does, which is asked for every "
    "pair, and small models judge poorly."
)
_FAST = (
    "Up to 16 completions are decoded at a time, whole groups together: up to there a larger group "
    "or batch takes less time for each."
)

_ROWS = (
    Method(
        id="sft",
        display_name="SFT",
        description="Supervised fine-tuning on given answers, attention-only by default in this "
        "tab: the baseline to compare with.",
        use_case="Teaching a format, a style or facts from examples with answers.",
        badge="Baseline",
        stars=1,
        resource_intensity="low",
        family="sft",
        data_form="sft",
        train_mode="sft",
        select_by="val_loss",
        params=("mask_prompt",),
        source="mlx-lm's own trainer, as in Setup.",
    ),
    Method(
        id="gspo",
        display_name="GSPO",
        description="Group Sequence Policy Optimization: whole answers are weighed, by the ratio "
        "of the sequence's likelihood instead of one ratio per token.",
        use_case="Long answers and mixtures of experts, where ratios per token are noisy.",
        badge="Sequence ratio",
        stars=4,
        resource_intensity="high",
        family="policy",
        data_form="prompt_answer",
        train_mode="grpo",
        select_by="val_reward",
        params=_POLICY,
        choices={
            "importance_sampling_level": ("sequence",),
            "grpo_loss_type": ("grpo", "bnpo", "dr_grpo"),
        },
        defaults=_SAMPLED,
        suggested={"batch_size": 4},
        needs_reference=True,
        source="Zheng et al. 2025, arXiv:2507.18071.",
        notes=(
            ONE_UPDATE + " GSPO then trains exactly as GRPO does; set it to 2 or more for the "
            "sequence ratio to matter.",
            _FAST,
        ),
    ),
    Method(
        id="dr_grpo",
        display_name="Dr. GRPO",
        description="GRPO done right: without the division by answer length and by the spread of "
        "the group's rewards, which favour long wrong answers and easy or hard prompts.",
        use_case="Reasoning tasks where answers tend to grow without getting better.",
        badge="Unbiased",
        stars=4,
        resource_intensity="high",
        family="policy",
        data_form="prompt_answer",
        train_mode="grpo",
        select_by="val_reward",
        params=_POLICY,
        choices={
            "grpo_loss_type": ("dr_grpo",),
            "importance_sampling_level": ("token", "sequence"),
        },
        defaults=_SAMPLED,
        suggested={"batch_size": 4},
        needs_reference=True,
        source="Liu et al. 2025, arXiv:2503.20783.",
        notes=(ONE_UPDATE + " Dr. GRPO's normalisation holds all the same.", _FAST),
    ),
    Method(
        id="grpo",
        display_name="GRPO",
        description="Group Relative Policy Optimization: several answers to each prompt are "
        "scored, and those better than their group become likelier.",
        use_case="Tasks whose answers can be checked by a function: mathematics, extraction, "
        "formats.",
        badge="Classic",
        stars=3,
        resource_intensity="high",
        family="policy",
        data_form="prompt_answer",
        train_mode="grpo",
        select_by="val_reward",
        params=_POLICY,
        choices={
            "importance_sampling_level": ("token",),
            "grpo_loss_type": ("grpo", "bnpo"),
        },
        defaults=_SAMPLED,
        suggested={"batch_size": 4},
        needs_reference=True,
        source="Shao et al. 2024 (DeepSeekMath), arXiv:2402.03300.",
        notes=(ONE_UPDATE, _FAST),
    ),
    Method(
        id="dapo",
        display_name="DAPO (clip-higher)",
        description="GRPO with a wider upper clip, a mean over all tokens of the batch and no KL "
        "penalty, so that unlikely good tokens can grow.",
        use_case="Runs whose answers become all alike too early.",
        badge="Clip-higher",
        stars=4,
        resource_intensity="high",
        family="policy",
        data_form="prompt_answer",
        train_mode="grpo",
        select_by="val_reward",
        params=_POLICY,
        choices={
            "importance_sampling_level": ("token",),
            "grpo_loss_type": ("bnpo",),
        },
        defaults={
            **_SAMPLED,
            "epsilon": 0.2,
            "epsilon_high": 0.28,
            "beta": 0.0,
            "updates_per_rollout": 2,
        },
        suggested={"batch_size": 4},
        needs_reference=True,
        source="Yu et al. 2025, arXiv:2503.14476.",
        notes=(
            "Of DAPO's four parts these are clip-higher and the token mean; prompts are not "
            "sampled again when a group's rewards are all equal, and long answers get no penalty "
            "of their own.",
            ONE_UPDATE,
            _FAST,
        ),
    ),
    Method(
        id="dpo",
        display_name="DPO",
        description="Direct Preference Optimization: the chosen answer becomes likelier than the "
        "rejected one, measured against the untouched model.",
        use_case="Pairs of a better and a worse answer; tone, style, safety.",
        badge="Preferences",
        stars=2,
        resource_intensity="medium",
        family="preference",
        data_form="preference",
        train_mode="dpo",
        select_by="val_accuracy",
        params=_PAIRS,
        needs_reference=True,
        source="Rafailov et al. 2023, arXiv:2305.18290.",
    ),
    Method(
        id="orpo",
        display_name="ORPO",
        description="Odds Ratio Preference Optimization: learns the chosen answers and turns away "
        "from the rejected ones at once, without a reference model.",
        use_case="Pairs, when the model has not been fine-tuned on such answers before.",
        badge="No reference",
        stars=2,
        resource_intensity="medium",
        family="preference",
        data_form="preference",
        train_mode="orpo",
        select_by="val_accuracy",
        params=("beta",),
        source="Hong et al. 2024, arXiv:2403.07691.",
    ),
    Method(
        id="cpo",
        display_name="CPO",
        description="Contrastive Preference Optimization: DPO's contrast without a reference "
        "model, with a likelihood term on the chosen answer.",
        use_case="Pairs with little memory; translation.",
        badge="No reference",
        stars=2,
        resource_intensity="medium",
        family="preference",
        data_form="preference",
        train_mode="cpo",
        select_by="val_accuracy",
        params=("beta", "preference_loss", "delta"),
        source="Xu et al. 2024, arXiv:2401.08417.",
    ),
    Method(
        id="dsla",
        display_name="DSLA",
        description="DPO, ORPO or CPO with a second term: the hidden states of chosen answers are "
        "drawn towards their prompts, those of rejected ones away.",
        use_case="Pairs, where the choice of words alone does not tell good from bad.",
        badge="Hidden states",
        stars=3,
        resource_intensity="medium",
        family="preference",
        data_form="preference",
        train_mode="dsla",
        select_by="val_accuracy",
        params=(
            *_PAIRS,
            "dsla_loss",
            "latent_weight",
            "latent_margin",
            "latent_gamma",
            "latent_variant",
            "latent_pooling",
            "latent_layer",
        ),
        suggested={"batch_size": 4},
        needs_reference=True,
        source="Directional and Similarity-aware Latent Alignment, as mlx-lm-lora implements it.",
        notes=("Directions are compared within the batch: two pairs or more give it something.",),
    ),
    Method(
        id="ftpo",
        display_name="FTPO",
        description="Final Token Preference Optimization: at one place of a text the wanted next "
        "tokens overtake a rejected one, and all others stay as likely as they were.",
        use_case="The one token that begins a bad habit: a loop, a stock phrase, a wrong turn.",
        badge="Next token",
        stars=3,
        resource_intensity="medium",
        family="preference",
        data_form="next_token",
        train_mode="ftpo",
        select_by="val_accuracy",
        params=_NEXT_TOKEN,
        suggested={"batch_size": 4},
        needs_reference=True,
        source="Liquid AI's Antidoom, as mlx-lm-lora implements it.",
        notes=("A row needs a rejected text, and a wanted one, that are one token of the model.",),
    ),
    Method(
        id="online_dpo",
        display_name="Online DPO",
        description="The model writes two answers to each prompt, a judge model picks one, and "
        "DPO learns from the pair.",
        use_case="Prompts without answers, and a model that can tell the better of two.",
        badge="Judge",
        stars=4,
        resource_intensity="very high",
        family="online",
        data_form="prompt",
        train_mode="online_dpo",
        select_by="val_loss",
        params=(*_JUDGED, "temperature", "preference_loss", "delta", "reference_model_path"),
        defaults=_SAMPLED,
        suggested={"batch_size": 4},
        needs_reference=True,
        source="Guo et al. 2024, arXiv:2402.04792.",
        notes=(_JUDGE,),
    ),
    Method(
        id="xpo",
        display_name="XPO",
        description="Exploratory Preference Optimization: online DPO with a bonus for answers the "
        "untouched model would not give.",
        use_case="Prompts without answers, where online DPO stays too close to what it knows.",
        badge="Judge",
        stars=5,
        resource_intensity="very high",
        family="online",
        data_form="prompt",
        train_mode="xpo",
        select_by="val_loss",
        params=(*_JUDGED, "xpo_alpha", "preference_loss", "delta", "reference_model_path"),
        defaults=_SAMPLED,
        suggested={"batch_size": 4},
        needs_reference=True,
        source="Xie et al. 2024, arXiv:2405.21046.",
        notes=(_JUDGE,),
    ),
    Method(
        id="ppo",
        display_name="PPO (pairwise)",
        description="A clipped objective on judged pairs of the model's own answers, as the "
        "engine defines it; there is no value network.",
        use_case="Comparison with the other judged methods.",
        badge="Judge",
        stars=5,
        resource_intensity="very high",
        family="online",
        data_form="prompt",
        train_mode="ppo",
        select_by="val_loss",
        params=(*_JUDGED, "temperature", "epsilon", "reference_model_path"),
        defaults={**_SAMPLED, "epsilon": 0.2, "batch_size": 2},
        suggested={"batch_size": 4},
        needs_reference=True,
        least_batch=2,
        source="After Schulman et al. 2017, arXiv:1707.06347, as mlx-lm-lora implements it.",
        notes=(
            "The engine's advantage is the difference of the pair's likelihoods, normalised over "
            "the batch: with one prompt per batch it would be 0, so two are the least.",
            _JUDGE,
        ),
    ),
    Method(
        id="rlhf_reinforce",
        display_name="RLHF (REINFORCE)",
        description="A judge model scores the model's own answers; REINFORCE follows the score "
        "minus a KL penalty.",
        use_case="Prompts without answers, and a judge that gives scores.",
        badge="Judge",
        stars=5,
        resource_intensity="very high",
        family="online",
        data_form="prompt",
        train_mode="rlhf_reinforce",
        select_by="val_loss",
        params=(*_JUDGED, "reference_model_path"),
        defaults=_SAMPLED,
        suggested={"batch_size": 4},
        needs_reference=True,
        notes=(_JUDGE,),
        source="After Ahmadian et al. 2024, arXiv:2402.14740, as mlx-lm-lora implements it.",
    ),
    Method(
        id="klpo",
        display_name="KLPO",
        description="KL-regularised policy optimisation: the reward is regressed on the change of "
        "the answer's likelihood; one answer per prompt, no group, no reference model.",
        use_case="Checkable tasks where groups of answers are too expensive.",
        badge="No group",
        stars=4,
        resource_intensity="medium",
        family="policy",
        data_form="prompt_answer",
        train_mode="klpo",
        select_by="val_reward",
        params=(
            "temperature",
            "max_completion_length",
            "beta",
            "klpo_route",
            "klpo_kl_estimator",
            "klpo_mc_samples",
            "klpo_top_k",
            "klpo_tail_floor",
            *_REWARDS,
        ),
        defaults=_SAMPLED,
        suggested={"batch_size": 4},
        source="As mlx-lm-lora implements it.",
        notes=(
            "The mc estimate draws klpo_mc_samples times over the whole vocabulary for every token "
            "and holds all draws until the answer is whole: gigabytes with a large vocabulary. "
            "binary needs none of them.",
        ),
    ),
)

METHODS: Mapping[str, Method] = {row.id: row for row in _ROWS}

# Modes of the pinned engine that are no rows, and why.
LEFT_OUT: Mapping[str, str] = {
    "train_judge": "trains a model to give scores instead of text, which nothing here could load.",
    "BNPO": "a normalisation, not a method: `grpo_loss_type` bnpo of GRPO and GSPO.",
    "Judged by a person": "the engine can ask in the terminal for every pair; a run here has none.",
}
