#!/bin/sh
# Installs what the tests of docs/show-control run, MQTT.js and Node-RED, where Node.js is there; else says so.
#
#   deploy/node.sh FOLDER
set -eu

folder=$1
source=tests/data/node

major=$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/')
if [ "${major:-0}" -lt 18 ] || ! command -v npm >/dev/null; then
    echo "Node.js 18 with npm is not installed: the tests of Node-RED and MQTT.js are skipped." >&2
    exit 0
fi
mkdir -p "$folder"
cp "$source/package.json" "$source/package-lock.json" "$folder/"
echo "Installing MQTT.js and Node-RED into $folder (100 MB) ..." >&2
if npm ci --prefix "$folder" --no-audit --no-fund --ignore-scripts --silent; then
    touch "$folder/ready"
else
    echo "npm could not install them: the tests of Node-RED and MQTT.js are skipped." >&2
fi
