from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.support.plan import (
    AT,
    make_contents,
    make_dependency,
    make_job,
    make_plan,
    make_prompt,
    make_resource,
    make_stream,
    make_waiting,
    make_workstation,
)
from tws.forecast import forecast
from tws.objects import Job
from tws.plan import Plan


def follows(name: str, *targets: str, stream: str = "stream-1") -> Job:
    waits = tuple(make_dependency(id=target, target_id=target) for target in targets)
    return make_waiting(id=name, name=name, job_stream_id=stream, job_stream=stream, dependencies=waits)


def ids(found: object) -> list[str]:
    return [one.id for one in found]  # type: ignore[attr-defined] # jobs and streams


def test_neighbours_are_jobs_and_streams_and_those_in_a_join() -> None:
    stream = make_stream(id="inner", name="inner", dependencies=(make_dependency(id="a", target_id="a"),))
    join = make_dependency(type="JOIN", target_id=None, members=(make_dependency(target_id="a"),))
    a, b = follows("a"), follows("b", "a", "inner")
    c = make_waiting(id="c", dependencies=(join,))
    plan = make_plan(a, b, c, stream, follows("d", stream="inner"))
    assert sorted(ids(plan.successors("a"))) == ["b", "c", "inner"]
    assert ids(plan.successors("inner")) == ["b"]
    assert plan.successors("d") == ()


def test_what_comes_after_goes_through_streams() -> None:
    stream = make_stream(id="inner", name="inner", dependencies=(make_dependency(id="a", target_id="a"),))
    plan = make_plan(follows("a"), stream, follows("b", stream="inner"), follows("c", "inner", stream="last"))
    assert plan.after(["a"]) == {"a", "stream-1", "inner", "b", "c", "last"}
    assert plan.after(["b"]) == {"b", "inner", "c", "last"}


def test_a_copy_with_fresh_objects_leaves_the_plan_as_it_was() -> None:
    job, place = make_waiting(status="READY"), make_workstation()
    plan = make_plan(job, place, make_resource(), make_prompt())
    fresh = plan.replaced(
        replace(job, status="EXEC"),
        replace(place, limit=0),
        make_resource(available=0),
        make_prompt(status="ASKED"),
    )
    assert (plan.jobs[job.id].status, fresh.jobs[job.id].status) == ("READY", "EXEC")
    assert (plan.workstations[place.name].limit, fresh.workstations[place.name].limit) == (10, 0)
    assert (set(plan.running(place.name)), set(fresh.running(place.name))) == (set(), {job.id})
    assert (set(plan.startable(place.name)), set(fresh.startable(place.name))) == ({job.id}, set())


def test_new_objects_and_new_dependencies_are_drawn_into_the_copy_only() -> None:
    plan = make_plan(follows("a"), follows("b"))
    fresh = plan.replaced(
        follows("b", "a"), follows("c", "b", stream="new"), make_stream(id="new", name="new")
    )
    assert ids(fresh.successors("a")) == ["b"]
    assert ids(fresh.successors("b")) == ["c"]
    assert ids(fresh.jobs_of("new")) == ["c"]
    assert ids(fresh.named("c")) == ["c"]
    assert plan.successors("a") == ()
    assert plan.named("c") == ()
    assert ids(fresh.replaced(follows("b")).successors("a")) == []


def test_objects_are_found_by_id_and_by_name() -> None:
    job, place, resource, prompt = make_job(), make_workstation(), make_resource(), make_prompt()
    plan = make_plan(job, place, resource, prompt)
    for one in (job, place, resource, prompt, plan.job_streams["stream-1"]):
        assert plan.find(one.id) == one
    assert plan.find("nothing") is None
    assert plan.named(job.selection) == plan.named("PAYROLL") == (job,)


def test_who_needs_a_resource_or_a_prompt_is_known() -> None:
    needs = make_dependency(type="RESOURCE", target="AGT_HR01#TAPES", target_id=None)
    asks = make_dependency(type="PROMPT", id="prompt-1", target_id=None)
    plan = make_plan(make_waiting(dependencies=(needs, asks)), make_resource(), make_prompt())
    assert ids(plan.users("AGT_HR01#TAPES")) == ids(plan.users("prompt-1")) == ["job-1"]


@given(edges=st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=30))
def test_the_order_has_everything_after_what_it_waits_for_and_leaves_circles_out(
    edges: set[tuple[int, int]],
) -> None:
    jobs = [follows(str(n), *sorted(str(a) for a, b in edges if b == n), stream=f"s{n}") for n in range(10)]
    plan = make_plan(*jobs)
    order = [node for node in plan.in_order() if node in plan.jobs]
    circle = {str(n) for n in range(10)} - set(order)
    for start, end in edges:
        if str(end) in order and str(start) in order:
            assert order.index(str(start)) < order.index(str(end))
    for name in circle:
        assert any(str(start) in circle for start, end in edges if str(end) == name)


@given(edges=st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=20), cut=st.integers(0, 9))
def test_a_copy_is_the_same_as_a_plan_built_of_its_objects(edges: set[tuple[int, int]], cut: int) -> None:
    def jobs(kept: set[tuple[int, int]]) -> list[Job]:
        return [
            follows(str(n), *sorted(str(a) for a, b in kept if b == n), stream=f"s{n % 3}") for n in range(10)
        ]

    later = {(a, b) for a, b in edges if a != cut}
    built, copied = make_plan(*jobs(later)), make_plan(*jobs(edges)).replaced(*jobs(later))
    for number in range(10):
        assert set(ids(built.successors(str(number)))) == set(ids(copied.successors(str(number))))
    assert [forecast(built, AT).of(str(n)) for n in range(10)] == [
        forecast(copied, AT).of(str(n)) for n in range(10)
    ]


def test_a_job_whose_stream_was_not_read_is_in_the_plan_all_the_same() -> None:
    contents = replace(make_contents(make_waiting()), job_streams=())
    assert Plan(contents).successors("job-1") == ()
    assert forecast(Plan(contents), AT).of("job-1").end is not None
