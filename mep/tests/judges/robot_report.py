"""Prints what the Robot test cases found, and compares it with the deviations that are explained.

    robot_report.py DEVIATIONS RESULTS

Exit status 1 if a test case fails that is not explained, or one passes that is said to fail.
"""

import pathlib
import sys
import tomllib

from robot.api import ExecutionResult


def main(deviations, results):
    """One line for each test case, then the sums."""
    explained = tomllib.loads(deviations.read_text())
    passed = failed = 0
    wrong = []
    for output in sorted(results.glob("*/output.xml")):
        for test in ExecutionResult(str(output)).suite.all_tests:
            good = test.status == "PASS"
            reason = explained.pop(test.name, None)
            passed, failed = passed + good, failed + (not good)
            message = "" if good else " ".join(test.message.split())[:120]
            print(f"{'passed' if good else 'failed':7} {test.name:40} {message}")
            if not good and reason:
                print(f"{'':7} {reason['whose']}: {reason['reason']}")
            if good == bool(reason):
                wrong.append(f"{test.name}: {'passes, but is said to fail' if good else 'fails and is not explained'}")
    wrong += [f"{name}: explained, but there is no such test case" for name in explained]
    print(f"\n{passed + failed} test cases: {passed} passed, {failed} failed")
    print("".join(f"NOT AS EXPECTED: {line}\n" for line in wrong), end="")
    return 1 if wrong or not passed else 0


if __name__ == "__main__":
    sys.exit(main(*(pathlib.Path(argument) for argument in sys.argv[1:3])))
