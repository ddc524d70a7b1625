#!/bin/sh
# Runs Schemathesis against the API documents that mep serves.
#
#   mep/tests/judges/schemathesis.sh [MEP_URL]
#
# Without MEP_URL a platform is started for it: see platform.sh. A platform of one's own needs mep.toml's content.
# EXAMPLES is the number of examples for each operation (50 unless set), SEED the seed (a new one for each run).
# Exit status: 0 if there is no failure.
set -eu

MEP_URL=${1:-}
. "$(dirname "$0")/platform.sh"

environment=${JUDGES_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/mep-judges/schemathesis}
virtual_environment "$environment" 'schemathesis>=4.32,<5'
[ -n "$MEP_URL" ] || start_platform
export MEP_URL

results=${JUDGES_RESULTS:-$work/results}
mkdir -p "$results"
seed=${SEED:-$(date +%s)}
status=0
for document in mec011-service-management mec011-app-support mm5 administration; do
    # What a run has removed must be there for the next one.
    "$environment/bin/python" "$judges/schemathesis_data.py" "$document" "$judges/schemathesis.toml" >"$work/$document.toml"
    if (cd "$work" && PYTHONPATH="$judges" SCHEMATHESIS_HOOKS=schemathesis_hooks PYTHONDONTWRITEBYTECODE=1 \
        "$environment/bin/st" --config-file "$work/$document.toml" run "$MEP_URL/openapi/$document.json" \
        --checks all --mode all --max-examples "${EXAMPLES:-50}" --seed "$seed" --no-color) >"$results/$document.txt" 2>&1
    then
        verdict=passed
    else
        verdict=FAILED status=1
    fi
    printf '%-7s %-28s %s\n' "$verdict" "$document" \
        "$(sed -n 's/^ *Tested: \(.*\)/\1 operations,/p; s/^ *\([0-9]* generated.*\)/\1/p' "$results/$document.txt" | tr '\n' ' ')"
    [ $verdict = passed ] || sed -n '/= FAILURES =/,/= SUMMARY =/p' "$results/$document.txt"
done
if grep -E '"level":"ERROR"|panicked' "$work/mep.log" 2>/dev/null; then
    status=1
fi
echo "seed $seed, full output in $results"
exit $status
