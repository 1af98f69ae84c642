#!/bin/sh
# Makes .venv of this checkout: Python packages out of requirements.lock with their hashes, then the project itself with its
# front end. A second run with nothing changed takes a moment. PYTHON=python3.12 chooses another Python.
set -eu
cd "$(dirname "$0")/.."
# uv is to trust the certificates that the machine trusts; the setting had another name before.
export UV_SYSTEM_CERTS=true UV_NATIVE_TLS=true

python=${PYTHON:-python3}
stamp=.venv/installed
fingerprint=$(cat requirements.lock pyproject.toml hatch_build.py deploy/environment.sh | sha256sum | cut -d ' ' -f 1)

stop() {
  echo "$1" >&2
  exit 1
}

check_python() {
  command -v "$python" >/dev/null 2>&1 || stop "There is no $python: install Python 3.11 or newer (Debian: apt install python3 python3-venv)."
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    stop "$python is too old: Stadthub needs Python 3.11 or newer. Choose another one with make PYTHON=python3.12."
}

make_environment() {
  # A moved checkout or a changed Python leaves an environment that can't start: it is made anew.
  if [ -x .venv/bin/python ] && .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null &&
    grep -qF "$PWD/.venv" .venv/bin/activate 2>/dev/null; then
    return
  fi
  rm -rf .venv
  if command -v uv >/dev/null 2>&1; then
    uv venv --quiet --python "$python" .venv && return
  fi
  if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    package=python3-venv
    echo "Python lacks venv: installing $package"
    sh deploy/apt.sh "$package" || stop "Python can't make environments here: install its part for that (Debian: apt install $package)."
  fi
  "$python" -m venv .venv || stop "Python can't make an environment here (Debian: apt install python3-venv)."
}

# uv installs many times faster than pip. Where it is not on PATH, pip installs the one that the lock names, by its hashes.
find_uv() {
  if command -v uv >/dev/null 2>&1; then
    uv=uv
    return
  fi
  [ -x .venv/bin/pip ] || .venv/bin/python -m ensurepip --upgrade >/dev/null
  awk '/^uv==/ { found = 1 } found { print } found && !/\\$/ { exit }' requirements.lock >.venv/uv.txt
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r .venv/uv.txt || return 0
  uv=.venv/bin/uv
}

install_locked() {
  echo "Installing from requirements.lock"
  uv=
  find_uv
  if [ -n "$uv" ]; then
    "$uv" pip install --quiet --python .venv/bin/python --require-hashes -r requirements.lock && return
    echo "uv could not; trying pip, which takes some minutes" >&2
  fi
  [ -x .venv/bin/pip ] || .venv/bin/python -m ensurepip --upgrade >/dev/null
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock ||
    stop "The packages could not be installed: see above. Without a way to the package index nothing can be installed."
}

install_project() {
  echo "Building the front end and installing Stadthub"
  if [ -x .venv/bin/pip ]; then
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
  else
    .venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .
  fi
}

if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$fingerprint" ] && [ -x .venv/bin/stadthub ] && .venv/bin/stadthub --version >/dev/null 2>&1; then
  exec .venv/bin/python hatch_build.py
fi
check_python
make_environment
rm -f "$stamp"
install_locked
install_project
echo "$fingerprint" >"$stamp"
