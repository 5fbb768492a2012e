#!/bin/sh
# Installs Debian packages where that needs no password; otherwise says which are missing and goes on.
#
#   deploy/apt.sh PACKAGE...
set -eu

missing=""
for package in "$@"; do
    dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0

sudo=""
if [ "$(id -u)" -ne 0 ]; then
    sudo="sudo -n"
    $sudo true 2>/dev/null || sudo="none"
fi
if [ "$sudo" = none ] || ! command -v apt-get >/dev/null; then
    echo "Not installed:$missing. What needs them is skipped; to have it: sudo apt-get install$missing" >&2
    exit 0
fi

echo "Installing$missing ..." >&2
# shellcheck disable=SC2086
{ $sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing; } \
    >/dev/null || echo "apt-get could not install$missing; what needs them is skipped." >&2
