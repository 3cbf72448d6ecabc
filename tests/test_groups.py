import pytest

from tests.groups import GROUPS

pytest_plugins = ["pytester"]

LAST_LINES = ["left out: node, 1 tests (*)", "*1 passed, 1 deselected*"]


@pytest.fixture
def machine(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A repository with one plain test and one that needs Node, on a machine without Node's packages, outside CI."""
    monkeypatch.delenv("CI", raising=False)
    pytester.makepyfile("""
        import pytest

        def test_plain(): pass

        @pytest.mark.needs("node")
        def test_with_node(): pass
    """)
    return pytester


def run(machine: pytest.Pytester, *options: str) -> pytest.RunResult:
    # What measures this process goes on measuring it.
    return machine.runpytest_inprocess("-p", "no:slipcover", "-p", "tests.groups", "--strict-markers", *options)


def test_a_group_whose_need_is_missing_is_left_out_and_named_at_the_end(machine: pytest.Pytester) -> None:
    result = run(machine)
    result.stdout.fnmatch_lines(LAST_LINES)
    assert result.ret == pytest.ExitCode.OK


def test_a_group_left_out_fails_the_run_in_ci(machine: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    result = run(machine)
    result.stdout.fnmatch_lines(LAST_LINES)
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_where_processes_share_the_tests_a_group_left_out_is_named_once_and_fails_the_run_in_ci(
    machine: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    result = run(machine, "-n", "2")
    assert [line for line in result.outlines if line.startswith("left out")] == [
        f"left out: node, 1 tests ({GROUPS['node'].remedy})"
    ]
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_a_group_whose_need_is_there_runs(machine: pytest.Pytester) -> None:
    (machine.path / "tests/node/node_modules").mkdir(parents=True)
    (machine.path / "tests/node/node_modules/installed").touch()
    result = run(machine)
    result.assert_outcomes(passed=2)
    result.stdout.no_fnmatch_line("left out*")


def test_packages_that_npm_did_not_finish_installing_are_missing(machine: pytest.Pytester) -> None:
    (machine.path / "tests/node/node_modules/@modelcontextprotocol/sdk").mkdir(parents=True)
    run(machine).stdout.fnmatch_lines(LAST_LINES)


def test_an_unknown_group_is_an_error(machine: pytest.Pytester) -> None:
    machine.makepyfile('import pytest\n\n@pytest.mark.needs("a-fax-machine")\ndef test_nothing(): pass')
    assert run(machine).ret == pytest.ExitCode.INTERNAL_ERROR
