"""Random lives that have to meet everything the paper knows, however the dice fall."""

from collections import Counter
from collections.abc import Iterable

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

ROUNDS = 4  # as many as it takes, up to these


def live_until_met(
    machine: type[RuleBasedStateMachine],
    met: Counter[str],
    wanted: Iterable[str],
    *,
    examples: int,
    steps: int,
) -> None:
    """Run random lives, each proven after each step, until each wanted thing has happened in one of them.

    `met` is counted by the machine. Fails when a wanted thing never happens: a law about it proves nothing.
    """
    met.clear()
    for turn in range(ROUNDS):
        run_state_machine_as_test(
            seed(turn)(machine) if settings().derandomize else machine,  # or each turn lives the same lives
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                phases=(Phase.explicit, Phase.generate),
                suppress_health_check=list(HealthCheck),
            ),
        )
        missing = [each for each in wanted if not met[each]]
        if not missing:
            return
    raise AssertionError(f"{', '.join(missing)} never happened: {met}")
