#!/bin/sh
# Sends an event of TWS to Resync: the command of the event rules beside this file, for the RunCommand action.
#
#   notify-resync.sh event=JobStatusChanged JobName=PAYROLL InternalStatus=ABEND …
#
# Each event becomes a file in the spool first, so that nothing is lost while Resync or the network is away; every call
# (and one without arguments, from cron for example) sends what waits, the oldest first. Needs sh, sed, awk, curl, openssl.
#
#   RESYNC_WEBHOOK_URL      https://resync.example.com/webhooks/night
#   RESYNC_SECRET_FILE      file with the source's secret, readable by the TWS user alone
#   RESYNC_SPOOL            folder of what waits; default /var/spool/resync
#   RESYNC_NOTIFY_CONF      file with these settings; default /etc/resync-notify.conf
set -u
umask 077

conf=${RESYNC_NOTIFY_CONF:-/etc/resync-notify.conf}
# shellcheck source=/dev/null
[ -r "$conf" ] && . "$conf"
url=${RESYNC_WEBHOOK_URL:?RESYNC_WEBHOOK_URL is not set}
secret_file=${RESYNC_SECRET_FILE:?RESYNC_SECRET_FILE is not set}
spool=${RESYNC_SPOOL:-/var/spool/resync}
mkdir -p "$spool/refused" || exit 1

# Text as the inside of a JSON string: other control characters than tabs and line ends are dropped.
quoted() {
    printf '%s' "$1" | tr -d '\000-\010\013\014\016-\037' |
        sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e "s/$(printf '\t')/\\\\t/g" -e "s/$(printf '\r')//g" |
        awk 'NR > 1 { printf "\\n" } { printf "%s", $0 }'
}

enqueue() {
    now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
    body=
    has_time=
    for pair in "$@"; do
        name=${pair%%=*}
        case $name in
            '' | *[!A-Za-z0-9_]*) continue ;;
            TimeStamp) [ -n "${pair#*=}" ] || continue; has_time=yes ;;
        esac
        body="$body${body:+,}\"$name\":\"$(quoted "${pair#*=}")\""
    done
    [ -n "$has_time" ] || body="$body${body:+,}\"TimeStamp\":\"$now\""
    file="$spool/$(date -u +%Y%m%d%H%M%S)-$$"
    printf '{%s}' "$body" >"$file.new" && mv "$file.new" "$file.json"
}

# 0: taken or never to be taken; 1: to be sent again later.
send() {
    stamp=$(date +%s)
    signature=$( (printf '%s.' "$stamp" && cat "$1") | openssl dgst -sha256 -hmac "$(cat "$secret_file")" -r | cut -d' ' -f1)
    status=$(curl -sS -m 20 -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' \
        -H "X-Resync-Timestamp: $stamp" -H "X-Resync-Signature: v1=$signature" --data-binary "@$1" "$url")
    case $status in
        2??) rm -f "$1" ;;
        400 | 413 | 415) mv "$1" "$spool/refused/" && echo "refused ($status): $1" >&2 ;;
        *) echo "not sent ($status), kept in $spool" >&2; return 1 ;;
    esac
}

if [ $# -gt 0 ]; then
    enqueue "$@" || exit 1
fi
# One at a time; what a call leaves the one that holds the lock, or the next, sends. A lock ten minutes old is a dead one's.
find "$spool" -maxdepth 1 -name lock -mmin +10 -exec rmdir {} \; 2>/dev/null
mkdir "$spool/lock" 2>/dev/null || exit 0
trap 'rmdir "$spool/lock"' EXIT
trap 'exit 1' INT TERM
for waiting in "$spool"/*.json; do
    [ -f "$waiting" ] || continue
    send "$waiting" || exit 1
done
