#!/usr/bin/env bash
# The browser tests drive Debian's Chromium and need a Chinese font: installed when missing and allowed.
set -euo pipefail
missing=()
command -v chromium >/dev/null || missing+=(chromium)
if ! { command -v fc-list >/dev/null && fc-list | grep -qi 'noto.*cjk'; }; then
  missing+=(fontconfig fonts-noto-cjk)
fi
# One test drives a controller by Debian's net-snmp; where it cannot be had that test says so and is skipped.
if ! command -v snmpset >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends snmp >/dev/null; } \
    || echo "net-snmp cannot be installed" >&2
fi
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing ${missing[*]} ..."
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
else
  echo "The browser tests need: sudo apt-get install ${missing[*]}" >&2
  exit 1
fi
