import pytest

from ICHVolumeLib.bench import rounds


def test_every_round_runs_everyone_on_the_same_slice_after_a_warm_up():
    seen = []
    runners = {name: lambda one, name=name: seen.append((name, one)) for name in ("a", "b", "c")}
    times = rounds.interleave(runners, ["s0", "s1"], rounds=3)
    warm, timed = seen[:6], seen[6:]
    assert {name for name, _ in warm} == {"a", "b", "c"}
    for turn, one in enumerate(["s0", "s1", "s0"]):
        assert sorted(timed[3 * turn:3 * turn + 3]) == [("a", one), ("b", one), ("c", one)]
    assert [timed[3 * turn][0] for turn in range(3)] == ["a", "b", "c"]  # nobody always comes first
    assert {name: len(values) for name, values in times.items()} == {"a": 3, "b": 3, "c": 3}


def test_the_score_is_the_median_of_the_ratios_within_the_rounds_so_a_busy_moment_does_not_count():
    quiet = rounds.median_ratio([100, 100, 100], [10, 10, 10])
    busy = rounds.median_ratio([100, 900, 100], [10, 90, 10])
    assert quiet == busy == pytest.approx(10)


def test_functions_without_an_argument_take_turns_too():
    calls = []
    times = rounds.alternate({"one": lambda: calls.append(1), "two": lambda: calls.append(2)}, 2)
    assert calls[4:] == [1, 2, 2, 1] and set(times) == {"one", "two"}


def test_nobody_to_run_takes_no_time():
    assert rounds.interleave({}, ["s0"], rounds=3) == {}
