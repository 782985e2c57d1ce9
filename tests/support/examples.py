"""How many examples: few and always the same in CI, many and random when somebody asks for them."""

from hypothesis import HealthCheck, settings

from tests.support.selection import QUICK

MORE = 20
FEWER = 5
THOROUGH = "thorough"

settings.register_profile(THOROUGH, deadline=None)


def scaled(usual: int) -> int:
    """`usual`; a fifth of them in `make test`, twenty times as many with `--hypothesis-profile=thorough`."""
    profile = settings.get_current_profile_name()
    if profile == QUICK:
        return usual // FEWER
    return usual * MORE if profile == THOROUGH else usual


def examples(usual: int, steps: int = 50) -> settings:
    """`so_many` fixed examples of at most `steps` steps; `pytest --hypothesis-profile=thorough -o timeout=0` tries
    others each time."""
    return settings(
        max_examples=scaled(usual),
        stateful_step_count=steps,
        derandomize=settings.get_current_profile_name() != THOROUGH,
        deadline=None,
        # How long a step takes says something about the machine, nothing about the rule.
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
