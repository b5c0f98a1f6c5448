#!/bin/bash
# A package's whole life inside a clean root, by apt: prints what it finds, one sentence a line.
# Usage: lifecycle_in_root.sh NAME PREFIX OLD.deb NEW.deb, as root, in a root that is thrown away afterwards. The command NAME of
# version 1.0.0 or 1.1.0 prints its version.
# shellcheck disable=SC2317  # the functions are called, by check
set -uo pipefail

name=$1 venv=$2 old=$3 new=$4
log=$(mktemp)
failed=0

apt() { apt-get -q -y --no-install-recommends "$@" > "$log" 2>&1; }

check() {
    local sentence=$1
    shift
    if "$@"; then
        printf '  yes  %s\n' "$sentence"
    else
        printf '  NO   %s\n' "$sentence"
        tail -n 30 "$log"
        failed=1
    fi
}

# All that there is, but for what apt and dpkg write about themselves. /opt itself belongs to no package (base-files' script makes
# it), so that dpkg removes it with the last one in it.
everything() {
    find /etc /opt/* /root /srv /usr /var -path /var/lib/dpkg -prune -o -path /var/lib/apt -prune -o -path /var/cache -prune \
        -o -path /var/log -prune -o -print 2> /dev/null | sort
}

# Installed, every file as shipped, no file that no package knows, and it runs.
is_right() {
    local version=$1 differences
    differences=$(dpkg --verify "$name"; comm -13 <(dpkg -L "$name" | sort) <(find "$venv" | sort))
    [ -z "$differences" ] || { printf '%s\n' "$differences" > "$log"; return 1; }
    [ "$("$name" 2> "$log")" = "3 rings of $version" ] && [ "$(dpkg-query -W -f '${db:Status-Status}' "$name")" = installed ]
}
as_before() { diff "$before" <(everything) > "$log"; }
unknown_to_dpkg() { ! dpkg -s "$name" > "$log" 2>&1; }
no_scripts() { ! compgen -G "/var/lib/dpkg/info/$name.p*"; }

apt update
# What it depends on, so that all that comes and goes from here on is the package.
depends=$(dpkg-deb --field "$old" Depends)
mapfile -t names < <(tr , '\n' <<< "$depends" | awk '{print $1}')
apt install "${names[@]}"
before=$(mktemp)
everything > "$before"

check 'it installs without recommended packages' apt install "$old"
check 'nothing but the package came' test "$(grep -c '^Setting up ' "$log")" = 1
check 'what was installed is right' is_right 1.0.0
check 'it has no maintainer script' no_scripts
check 'running it wrote no file' is_right 1.0.0
check 'it is installed again' apt install --reinstall "$old"
check 'what was installed again is right' is_right 1.0.0
check 'it is upgraded' apt install "$new"
check 'the upgraded one is right, without a file of the old one' is_right 1.1.0
check 'it is downgraded when that is allowed' apt install --allow-downgrades "$old"
check 'the downgraded one is right, without a file of the new one' is_right 1.0.0
check 'an ordinary user runs it' test "$(setpriv --reuid 65534 --regid 65534 --clear-groups "$name")" = '3 rings of 1.0.0'
check 'it is removed' apt remove "$name"
check 'after removal nothing of it remains' as_before
check 'after removal dpkg does not know it' unknown_to_dpkg
check 'it comes back' apt install "$new"
check 'what came back is right' is_right 1.1.0
check 'it is purged' apt purge "$name"
check 'after the purge nothing of it remains' as_before

exit "$failed"
