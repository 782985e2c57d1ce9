"""The season's text: how its lines are read and played, and that it holds together."""

import re
from collections.abc import Sequence
from datetime import date

import pytest
from typer.main import get_command

from cli import app
from cli.mistakes import season
from lab.mistakes.script import BadScript, CommandAnswer, ScriptStep, play, read, steps_of

pytestmark = pytest.mark.unit

TODAY = date(2026, 12, 30)
GIVEN = {"here", "work"}


class Heard:
    """A command line that answers with these, one after another, and remembers what was typed."""

    def __init__(self, *answers: CommandAnswer) -> None:
        self.answers = list(answers)
        self.typed: list[Sequence[str]] = []

    def __call__(self, words: Sequence[str]) -> CommandAnswer:
        self.typed.append(tuple(words))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def steps(text: str) -> list[ScriptStep]:
    return list(steps_of(read(f"== A part\n{text}")))


def test_lines_become_steps_with_what_must_follow() -> None:
    [accepted_step, refused, patient, broken] = steps(
        '> sell KTI "with a space"\n  | Rp5\n  | two\n  = lot answers.0.lot\n'
        '!2 sell\n~ stock\n* LP-KPG {"qty":"x y"}\n'
    )
    assert accepted_step.words == ("sell", "KTI", "with a space")
    assert (accepted_step.exit_code, accepted_step.fragments, accepted_step.keeps) == (
        0,
        ("Rp5", "two"),
        (("lot", "answers.0.lot"),),
    )
    assert (refused.exit_code, refused.patient) == (2, False)
    assert (patient.exit_code, patient.patient) == (0, True)
    assert (broken.words, broken.broken_record) == (("LP-KPG", '{"qty":"x y"}'), True)


@pytest.mark.parametrize("text", ["sell", "> sell\n| Rp5", "  | Rp5", "? sell"])
def test_a_line_without_a_mark_or_a_command_is_refused(text: str) -> None:
    with pytest.raises(BadScript):
        steps(text)


def test_fields_are_filled_with_days_and_kept_values() -> None:
    [step] = steps("> announce {today+3} {today} {today-1} {lot}=3\n  | {lot}")
    run = Heard(CommandAnswer(0, "L1"))
    assert play(step, {"lot": "L1"}, TODAY, run).faults == ()
    assert run.typed == [("announce", "2027-01-02", "2026-12-30", "2026-12-29", "L1=3")]
    with pytest.raises(BadScript, match="lot"):
        play(step, {}, TODAY, run)


def test_another_exit_code_a_missing_fragment_and_a_missing_value_are_faults() -> None:
    [step] = steps("! receive\n  | hilang\n  = lot 0.lot")
    outcome = play(step, {}, TODAY, Heard(CommandAnswer(0, "[]")))
    assert len(outcome.faults) == 3
    [refused] = steps("! receive\n  | KTI 40 4 36")
    assert play(refused, {}, TODAY, Heard(CommandAnswer(1, "KTI\t40\t4\t36\n", "Ditolak"))).faults == ()
    assert play(refused, {}, TODAY, Heard(CommandAnswer(1, "KTI\t40\t4\t35\n", "Ditolak"))).faults != ()


def test_a_value_is_kept_from_json() -> None:
    [step] = steps("> sync\n  = lot answers.0.lot")
    run = Heard(CommandAnswer(0, '{"answers": [{"lot": "L1"}]}'))
    assert play(step, {}, TODAY, run).kept == {"lot": "L1"}
    assert run.typed == [("sync", "--json")]


def test_only_a_patient_step_is_repeated() -> None:
    [patient] = steps("~ stock\n  | L1")
    assert play(patient, {}, TODAY, Heard(CommandAnswer(0, ""), CommandAnswer(0, "L1"))).faults == ()
    assert play(patient, {}, TODAY, Heard(CommandAnswer(0, "")), patience=0).faults != ()
    [hasty] = steps("> stock\n  | L1")
    assert play(hasty, {}, TODAY, Heard(CommandAnswer(0, ""), CommandAnswer(0, "L1"))).faults != ()


def test_what_runs_before_a_repetition_is_run_only_then() -> None:
    [step] = steps("~ products\n  | KRJ\n  ! PTG\n  + sync --wait 0")
    run = Heard(CommandAnswer(0, "KRJ PTG"), CommandAnswer(0, ""), CommandAnswer(0, "KRJ"))
    assert play(step, {}, TODAY, run).faults == ()
    assert run.typed == [("products",), ("sync", "--wait", "0"), ("products",)]
    assert play(step, {}, TODAY, Heard(CommandAnswer(0, "KRJ PTG")), patience=0).faults != ()


def test_one_line_of_an_answer_is_told() -> None:
    [step] = steps("> receive")
    assert play(step, {}, TODAY, Heard(CommandAnswer(0, "lot\tsent\nL1\t4\nS1  diterima\n"))).heard == "S1 diterima"
    [refused] = steps("! receive")
    assert play(refused, {}, TODAY, Heard(CommandAnswer(1, "lot\tsent\n", "Ditolak: L1"))).heard == "Ditolak: L1"
    [sought] = steps("> stock\n  | L1")
    assert play(sought, {}, TODAY, Heard(CommandAnswer(0, "Stok\nL1\t4\n"))).heard == "L1 4"


def test_the_season_has_three_festivals_and_ends_with_a_check_of_everything() -> None:
    every = list(steps_of(season()))
    assert sum(step.words[:2] == ("festival", "announce") and not step.exit_code for step in every) == 3
    services = ("production", "inventory", "festival", "sales", "identity", "gateway")
    last = [("verify",), *(("rebuild", service) for service in services)]
    assert [(step.words, step.exit_code) for step in every[-7:]] == [(words, 0) for words in last]
    assert sum(step.exit_code != 0 for step in every) >= 15, "mistakes that are refused at once"


def test_every_value_of_the_season_is_kept_before_it_is_typed() -> None:
    value_names = set(GIVEN)
    for step in steps_of(season()):
        used = set(re.findall(r"\{([a-z]+)\}", " ".join((*step.words, *step.fragments, *step.again)))) - {"today"}
        assert used <= value_names, f"line {step.line}"
        value_names |= {name for name, _ in step.keeps}


@pytest.mark.parametrize(
    "command",
    [
        *("catalogue import", "catalogue retire", "catalogue waiting", "dlq mend"),
        *("festival add-product", "festival add-till", "festival change", "festival change-price"),
        *("festival dispute", "festival disputes", "festival merge-booths", "festival missing"),
        *("festival move-stray", "festival recount", "festival recount-return", "festival rename-booth"),
        *("festival reopen-booth", "festival revise", "festival strays", "festival transfer recount"),
        *("terminal edit", "terminal lift", "terminal remove", "terminal withdraw"),
        *("till edit", "till remove", "till void"),
    ],
)
def test_each_way_to_take_back_a_mistake_is_in_the_season(command: str) -> None:
    words = command.split()
    accepted_steps = [step for step in steps_of(season()) if step.exit_code == 0]
    assert any(step.words[0] == words[0] and set(words) <= set(step.words) for step in accepted_steps)


def test_every_command_of_the_season_exists() -> None:
    root = get_command(app)
    for step in steps_of(season()):
        if not step.broken_record:
            group = root.get_command(None, step.words[0])  # type: ignore[attr-defined, arg-type]
            assert group is not None, f"line {step.line}"
            names = set(getattr(group, "commands", {}))
            assert not names or names & set(step.words), f"line {step.line}"
