"""The picture of a plan: every piece is in one stream, and no bar overlaps another."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.portal.domain.answers import LineRow
from services.portal.domain.flow import flow_of

lines = st.lists(
    st.builds(
        LineRow,
        booth=st.sampled_from(["ODOP.B1", "ODOP.B2", "ODOP.B3"]),
        product=st.just("KTI"),
        facility=st.sampled_from(["PR-KPG", "LP-KPG", "RT-KPG"]),
        lot=st.just("L"),
        qty=st.integers(1, 500),
        status=st.just("planned"),
    ),
    max_size=30,
)


@given(lines)
def test_every_piece_is_in_a_stream_and_in_both_bars(rows: list[LineRow]) -> None:
    flow = flow_of(rows)
    if not rows:
        assert flow is None
        return
    assert flow is not None
    total = sum(row.qty for row in rows)
    assert sum(stream.qty for stream in flow.streams) == total
    for bars in (flow.facilities, flow.booths):
        assert sum(bar.qty for bar in bars) == total
        assert all(upper.y + upper.height < lower.y for upper, lower in pairwise(bars))
        assert bars[-1].y + bars[-1].height <= flow.height
