"""How many examples: few and always the same in CI, many and random when somebody asks for them."""

from hypothesis import HealthCheck, settings

MORE = 20
THOROUGH = "thorough"

settings.register_profile(THOROUGH, deadline=None)


def examples(usual: int, steps: int = 50) -> settings:
    """`usual` fixed examples of at most `steps` steps; `pytest --hypothesis-profile=thorough -o timeout=0` tries
    twenty times as many, and others each time."""
    thorough = settings.get_current_profile_name() == THOROUGH
    return settings(
        max_examples=usual * MORE if thorough else usual,
        stateful_step_count=steps,
        derandomize=not thorough,
        deadline=None,
        # How long a step takes says something about the machine, nothing about the rule.
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
