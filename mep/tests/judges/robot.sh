#!/bin/sh
# Runs ETSI's Robot test cases for MEC 011 against mep, then the test purposes they do not cover.
#
#   mep/tests/judges/robot.sh SUITE_DIRECTORY [MEP_URL]
#
# SUITE_DIRECTORY has GenericKeywords.robot and MEC011/SRV (https://forge.etsi.org/rep/mec/gs032p3-robot-test-suite).
# Without MEP_URL a platform is started for it: see platform.sh. A platform of one's own needs mep.toml's content.
# Exit status: 0 if nothing fails but what robot-deviations.toml explains.
set -eu

suite=${1:?"usage: robot.sh SUITE_DIRECTORY [MEP_URL]"}
suite=$(cd "$suite" && pwd)
MEP_URL=${2:-}
. "$(dirname "$0")/platform.sh"

environment=${JUDGES_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/mep-judges/robot}
virtual_environment "$environment" 'robotframework>=7,<8' 'RESTinstance>=1.5,<2' \
    'robotframework-jsonlibrary>=0.5,<0.6' 'robotframework-jsonschemalibrary>=1,<2' 'setuptools<81'
[ -n "$MEP_URL" ] || start_platform
export MEP_URL

export PYTHONDONTWRITEBYTECODE=1
python="$environment/bin/python"
copy="$work/suite"
"$python" "$judges/robot_suite.py" "$suite" "$copy" "$root/generated"

address=${MEP_URL#http://}
host=${address%%:*}
port=${address##*:}
results=${JUDGES_RESULTS:-$work/results}
status=0
for file in "$copy"/MEC011/SRV/*/*.robot; do
    directory=$(dirname "$file")
    name=$(basename "$directory")
    # One suite writes the scheme before the host's name of the registrations, another leaves it to the variable.
    registrations=$host
    [ "$name" != CONFTASK ] || registrations="http://$host"
    (cd "$directory" && "$environment/bin/robot" --name "$name" --outputdir "$results/$name" \
        --pythonpath . --pythonpath "$judges" --listener robot_listener.Preconditions --console none --loglevel DEBUG \
        --variable "SCHEMA:http" --variable "HOST:$host" --variable "PORT:$port" \
        --variable "apiRoot:" --variable "apiVersion:v1" \
        --variable "SCHEMA_APP_SAQ:http" --variable "HOST_APP_SAQ:$host" --variable "PORT_APP_SAQ:$port" \
        --variable "apiRoot_APP_SAQ:" --variable "apiVersion_APP_SAQ:v1" \
        --variable "SCHEMA_REGAPP:http" --variable "HOST_REGAPP:$host" --variable "PORT_REGAPP:$port" \
        --variable "apiRoot_REGAPP:" --variable "apiName_REGAPP:mec_app_support" --variable "apiVersion_REGAPP:v1" \
        --variable "HOST_REG_APP:$registrations" --variable "PORT_REG_APP:$port" \
        --variable "apiRoot_REG_APP:" --variable "apiVersion_REG_APP:v1" \
        --variable "SCHEMA_BASE_DIR:schemas" --variable "JSON_BASE_DIR:jsons" \
        "$(basename "$file")" >"$work/$name.out" 2>&1) || true
    # Robot goes on where a listener fails; what it prepares would be missing.
    ! grep 'level="ERROR"' "$results/$name/output.xml" || status=1
done

"$python" "$judges/robot_report.py" "$judges/robot-deviations.toml" "$results" || status=1
"$python" "$judges/purposes.py" "$MEP_URL" || status=1
exit $status
