import pytest

pytest_plugins = ["pytester"]


def test_each_process_begins_with_files_that_start_programs(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, count in {
        "auth/test_a": 3,
        "e2e/test_b": 1,
        "e2e/test_c": 2,
        "interop/test_d": 1,
        "tools/test_e": 3,
    }.items():
        path = pytester.path / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f"def test_{number}(): pass\n" for number in range(count)))
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "2")
    options = ("-p", "no:slipcover", "-p", "tests.quick", "-p", "tests.sharing", "--collect-only", "-q")
    listed = [line for line in pytester.runpytest_inprocess(*options).outlines if "::" in line]
    parts = [[line.partition("/test_")[2][0] for line in part] for part in (listed[:5], listed[5:])]
    assert ["".join(part) for part in parts] == ["ccaaa", "bdeee"]
