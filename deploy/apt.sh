#!/bin/sh
# Installs Debian packages where that is allowed (root, or sudo without a password); otherwise answers 1 and names the command.
set -u
[ "$#" -gt 0 ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
  as_root="sudo -n"
  if ! sudo -n true 2>/dev/null; then
    echo "Not allowed to install system packages. Do it once yourself: sudo apt-get install $*" >&2
    exit 1
  fi
fi
if ! command -v apt-get >/dev/null 2>&1; then
  echo "There is no apt-get here. Install these with your system's own means: $*" >&2
  exit 1
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
if ! { $as_root apt-get update && $as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@"; } >"$log" 2>&1; then
  tail -n 15 "$log" >&2
  echo "apt-get could not install: $*" >&2
  exit 1
fi
