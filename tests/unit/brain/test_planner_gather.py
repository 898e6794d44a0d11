from __future__ import annotations

from brain.planner.gather import gathered
from brain.planner.task import Task
from brain.reply import Bullets, Citation, text, to_plain
from brain.state import Draft
from tests.support.asked import ASKED


def _done(id_: str, cause: str = "", *blocks: str, cited: str = "") -> Task:
    citation = Citation(document_id=cited, document_title=cited, location="1", quote="q")
    draft = Draft(
        agent="diagnosis",
        blocks=tuple(text(one) for one in blocks),
        citations=(citation,) if cited else (),
        cause=cause,
    )
    return Task(id=id_, title=f"J{id_}", request=ASKED.request, state="done", draft=draft)


def test_what_has_the_same_message_or_differs_in_numbers_only_is_one_cause() -> None:
    each = Task(id="1", title="Why", request=ASKED.request, each_of=True)
    causes = ["ORA-01653: table A", "disk 7 full", "ORA-01653: table B", "disk 19 full", "", "ORA-01653: C"]
    draft = gathered(each, [_done(f"1.{n}", cause) for n, cause in enumerate(causes, 1)], ASKED)
    (bullets,) = (block for block in draft.blocks if isinstance(block, Bullets))
    assert to_plain((bullets,)).split("\n") == [
        "- J1.1, J1.3, J1.6: ORA-01653: table A",
        "- J1.2, J1.4: disk 7 full",
        "- J1.5: cause not found",
    ]


def test_sources_of_parts_are_numbered_through() -> None:
    root = Task(id="1", title="all", request=ASKED.request)
    parts = [_done("1.1", "", "as [1] says", cited="a"), _done("1.2", "", "and [1] too", cited="b")]
    draft = gathered(root, parts, ASKED)
    assert to_plain(draft.blocks).split("\n") == ["J1.1", "as [1] says", "J1.2", "and [2] too"]
    assert [citation.document_id for citation in draft.citations] == ["a", "b"]
