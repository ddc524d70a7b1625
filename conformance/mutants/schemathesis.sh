#!/bin/sh
# Schemathesis against one platform, as a suite for `mutants run --suite-command`.
#
#   conformance/mutants/schemathesis.sh TARGET DIRECTORY SECONDS [SEED]
#
# The documents are those that the platform serves; half of the time goes to each, and the first failure ends it.
# Schemathesis is told what our platform's own judge tells it (mep/tests/judges/schemathesis_hooks.py), without which it
# blames the correct platform; HOOKS=none leaves it as it comes. ALL=1 goes on after a failure.
# Exit status: 0 if there is no failure, 1 if there is one, 2 if it could not run.
set -eu

target=$1 directory=$2 half=$(($3 / 2)) seed=${4:-1}
judges=$(cd "$(dirname "$0")/../../mep/tests/judges" && pwd)
environment=${JUDGES_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/mep-judges/schemathesis}
if [ ! -x "$environment/bin/st" ]; then
    python3 -m venv "$environment" && "$environment/bin/pip" install --quiet 'schemathesis==4.32.5' || exit 2
fi

cat "$judges/schemathesis.toml" - >"$directory/schemathesis.toml" <<TOML
[parameters]
"path.appInstanceId" = "mutant-1"
"path.dnsRuleId" = "rule-1"
"path.trafficRuleId" = "rule-1"
TOML
export JUDGE_INSTANCE=mutant-1 PYTHONPATH="$judges" PYTHONDONTWRITEBYTECODE=1
[ "${HOOKS:-ours}" = none ] || export SCHEMATHESIS_HOOKS=schemathesis_hooks
configuration="$directory/schemathesis.toml"
[ "${HOOKS:-ours}" = none ] && : >"$directory/empty.toml" && configuration="$directory/empty.toml"

# Every path names the instance that exists: a run that removes it tests nothing after that, and takes it for a fault.
[ "${HOOKS:-ours}" = none ] && exclude='' || exclude='DELETE /registrations/{appInstanceId}'

status=0
for document in mec011-service-management mec011-app-support; do
    set -- --checks all --mode all --max-time "$half" --seed "$seed" --no-color
    [ -z "$exclude" ] || set -- "$@" --exclude-name "$exclude"
    [ -n "${ALL:-}" ] || set -- "$@" --max-failures 1
    set -- "$@" --report json --report-json-path "$directory/$document.json"
    (cd "$directory" && "$environment/bin/st" --config-file "$configuration" \
        run "$target/openapi/$document.json" "$@" >"$document.txt" 2>&1) || status=1
    [ $status = 0 ] || [ -n "${ALL:-}" ] || break
done

# What `mutants` reads.
mkdir -p "$directory/report"
"$environment/bin/python" - "$directory" >"$directory/report/report.json" <<'PYTHON'
import glob, json, sys

reports = [json.load(open(path)) for path in glob.glob(sys.argv[1] + "/mec011-*.json")]
cases = sum(report["test_cases"]["generated"] for report in reports)
titles = [failure["title"] for report in reports for failure in report["failures"]]
print(json.dumps({"run": {"cases": cases}, "findings": [{"check": title, "severity": "error"} for title in titles]}))
PYTHON
exit $status
