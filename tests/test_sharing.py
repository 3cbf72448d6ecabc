from typing import Final

import pytest

pytest_plugins = ["pytester"]

FILES: Final = {
    "auth/test_a": "ttt",
    "e2e/test_b": "t",
    "e2e/test_c": "tb",
    "interop/test_d": "bt",
    "tools/test_e": "ttt",
}
"""The tests of each file: `t` is any, `b` one that needs a browser."""

NEEDS: Final = {"t": "", "b": '@pytest.mark.needs("chromium")\n'}


def test_each_process_begins_with_files_that_start_programs_and_one_with_all_that_need_a_browser(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, tests in FILES.items():
        path = pytester.path / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        functions = (f"{NEEDS[test]}def test_{number}(): pass\n" for number, test in enumerate(tests))
        path.write_text("import pytest\n" + "".join(functions))
    pytester.makeini("[pytest]\nmarkers = needs")
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "2")
    options = ("-p", "no:slipcover", "-p", "tests.quick", "-p", "tests.sharing", "--collect-only", "-q")
    listed = [line for line in pytester.runpytest_inprocess(*options).outlines if "::" in line]
    assert ["".join(line.partition("/test_")[2][0] for line in part) for part in (listed[:5], listed[5:])] == [
        "dcdaa",
        "cbaeee",
    ]
