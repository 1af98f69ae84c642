#!/bin/sh
# Installs the programs that some tests need, where it may. Where it may not, those tests skip and name the command.
set -u
cd "$(dirname "$0")/.."

missing=
command -v mosquitto >/dev/null 2>&1 || [ -x /usr/sbin/mosquitto ] || missing="$missing mosquitto"
command -v mosquitto_sub >/dev/null 2>&1 || missing="$missing mosquitto-clients"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1 || missing="$missing postgresql"
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"

[ -n "$missing" ] || exit 0
echo "Installing for the tests:$missing"
# shellcheck disable=SC2086  # one word a package
sh deploy/apt.sh $missing || echo "The tests that need$missing will skip." >&2
