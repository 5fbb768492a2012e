#!/bin/sh
# Makes a virtual environment with the first suitable Python on this machine and installs this checkout into it.
#
#   deploy/venv.sh FOLDER EXTRAS CONSTRAINTS      e.g. deploy/venv.sh .venv ja,demo constraints/demo.txt
#
# PYTHON=/path/to/python chooses the interpreter; PIP_ARGS adds to the pip command (an index, say).
set -eu

folder=$1 extras=$2 constraints=$3

say() { printf '%s\n' "$*" >&2; }

suitable() {
    "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        suitable "$PYTHON" || { say "PYTHON=$PYTHON does not run or is not Python 3.10 to 3.13."; return 1; }
        echo "$PYTHON"
        return
    fi
    for name in python3 python3.12 python3.11 python3.10 python3.13; do
        if suitable "$name"; then echo "$name"; return; fi
    done
    found=$(python3 --version 2>/dev/null || echo "no python3 at all")
    say "Python 3.10, 3.11, 3.12 or 3.13 is needed; found $found."
    say "Debian or Ubuntu: sudo apt-get install python3 python3-venv"
    say "Elsewhere: make ... PYTHON=/path/to/python3.12"
    return 1
}

python=$(find_python)
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    say "Python $version has no venv or pip module (Debian packs them apart)."
    say "Install them: sudo apt-get install python3-venv     (or python$version-venv)"
    exit 1
fi

say "Setting up $folder with Python $version (some hundred MB to download the first time) ..."
there=$("$folder/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true)
if [ "$there" != "$version" ]; then
    rm -rf "$folder"
    "$python" -m venv "$folder"
fi
# shellcheck disable=SC2086
if ! "$folder/bin/python" -m pip install --quiet --disable-pip-version-check ${PIP_ARGS:-} \
    --constraint "$constraints" --editable ".[$extras]"; then
    say "pip could not install what is needed; its message is above."
    say "Without a network: PIP_ARGS='--no-index --find-links /path/to/wheels' make ..."
    exit 1
fi
