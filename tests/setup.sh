#!/bin/sh
# What the tests need beside Python packages: two browsers, redis-cli, a Redis to compare with, nginx,
# and what Kafka is fetched and run with.
# The browsers are looked for again by the tests themselves, which say what to do if there is none.
set -eu

missing=""
command -v redis-server >/dev/null || missing="$missing redis-server"
command -v redis-cli >/dev/null || missing="$missing redis-tools"
command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null ||
    command -v google-chrome >/dev/null || missing="$missing chromium"
command -v firefox-esr >/dev/null || command -v firefox >/dev/null || missing="$missing firefox-esr"
PATH="$PATH:/usr/sbin" command -v nginx >/dev/null || missing="$missing nginx"
maven=""
{ command -v java && command -v mvn; } >/dev/null || maven=maven
[ -n "$missing$maven" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing for the tests:$missing $maven"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # Where there is only the browser, that will do; the shell is quicker.
    apt-cache show chromium-headless-shell >/dev/null 2>&1 &&
        missing=$(echo "$missing" | sed 's/ chromium\>/&-headless-shell/')
    # Not every Ubuntu has it: there it is for the person at the machine to install.
    apt-cache show firefox-esr >/dev/null 2>&1 || missing=$(echo "$missing" | sed 's/ firefox-esr\>//')
    # shellcheck disable=SC2086
    [ -z "$missing" ] || RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $missing >/dev/null
    # Without it the tests have a small broker in Kafka's place.
    [ -z "$maven" ] || RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $maven >/dev/null || true
fi
