"""What is wrong with a topic that is set otherwise."""

import pytest

from shared.topics import DLQ_MAX_BYTES, TopicFault, faults_of, wanted


def test_topics_as_they_must_be_have_nothing_wrong_whatever_else_is_set() -> None:
    configs = {name: {**wanted(name), "min.insync.replicas": "2"} for name in ("x.in.v1", "x.in.v1.dlq")}
    assert faults_of(configs) == []


@pytest.mark.parametrize("setting", sorted(wanted("in")))
def test_each_setting_that_differs_or_is_missing_is_told(setting: str) -> None:
    good = dict(wanted("in"))
    [other] = faults_of({"in": {**good, setting: "7"}})
    assert other == TopicFault("in", setting, "7", good.pop(setting))
    assert [fault.found for fault in faults_of({"in": good})] == [None]


def test_a_dlq_must_hold_what_its_topic_may_hold_and_more() -> None:
    assert [fault.wanted for fault in faults_of({"in.dlq": wanted("in")})] == [str(DLQ_MAX_BYTES)]
