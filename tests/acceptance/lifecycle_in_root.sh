#!/bin/bash
# A package's whole life inside a clean root, by the root's own package manager: prints what it finds, one sentence a line.
# Usage: lifecycle_in_root.sh NAME PREFIX OLD NEW, as root, in a root that is thrown away afterwards. The command NAME of version 1.0.0 or
# 1.1.0 prints its version.
# shellcheck disable=SC2317  # the functions are called, by check
set -uo pipefail

name=$1 venv=$2 old=$3 new=$4
log=$(mktemp)
failed=0

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

# The words of each package manager; `manage` keeps what it says in the log.
apt() {
    manage() { apt-get -q -y --no-install-recommends "$@" > "$log" 2>&1; }
    refresh() { manage update; }
    reinstall() { manage install --reinstall "$1"; }
    downgrade() { manage install --allow-downgrades "$1"; }
    remove() { manage remove "$name"; }
    remove_with_configuration() { manage purge "$name"; }
    requirements() { dpkg-deb --field "$old" Depends | tr , '\n' | awk '{print $1}'; }
    packages() { dpkg-query -W -f '${Package}\n' | sort; }
    differing() { dpkg --verify "$name"; }
    files() { dpkg -L "$name"; }
    installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2> "$log")" = installed ]; }
    unknown() { ! dpkg -s "$name" > "$log" 2>&1; }
    only_cleaning_scripts() {
        [ "$(cd /var/lib/dpkg/info && echo "$name".p*)" = "$name.postinst $name.prerm" ] \
            && ! grep -Eq 'systemctl|deb-systemd|systemd-' "/var/lib/dpkg/info/$name.p"*
    }
}
rpm_() {
    refresh() { true; }  # its repository is a directory
    # Each as it stands, `python(abi) = 3.11`, but what rpm itself must be able to do.
    requirements() { rpm -qp --requires "$old" | grep -v '^rpmlib('; }
    packages() { rpm -qa --qf '%{NAME}\n' | sort; }
    differing() { rpm -V "$name"; }
    files() { rpm -ql "$name"; }
    installed() { [ "$(rpm -q "$name" | wc -l)" = 1 ] && rpm -q "$name" > "$log"; }
    unknown() { ! rpm -q "$name" > "$log" 2>&1; }
    only_cleaning_scripts() {
        [ "$(rpm -q --scripts --triggers --filetriggers "$name" | grep -o '^[a-z]* scriptlet')" = 'preuninstall scriptlet' ] \
            && ! rpm -q --scripts "$name" | grep -q systemctl
    }
}
dnf_() {
    local dnf=$1
    rpm_
    eval "manage() { $dnf -y --setopt=install_weak_deps=False \"\$@\" > \"\$log\" 2>&1; }"
    reinstall() { manage reinstall "$1"; }
    downgrade() { manage downgrade "$1"; }
    remove() { manage remove "$name"; }
    remove_with_configuration() { manage remove "$name"; }
}
zypper_() {
    rpm_
    manage() {
        local what=$1
        shift
        case $what in
            install) set -- install --no-recommends --allow-unsigned-rpm "$@" ;;
            *) set -- "$what" "$@" ;;
        esac
        zypper --non-interactive "$@" > "$log" 2>&1
    }
    reinstall() { manage install --force "$1"; }
    downgrade() { manage install --oldpackage "$1"; }
    remove() { manage remove "$name"; }
    remove_with_configuration() { manage remove "$name"; }
}
case $old in
    *.deb) apt ;;
    *.rpm)
        if command -v dnf5 > /dev/null; then
            dnf_ dnf5
        elif command -v dnf > /dev/null; then
            dnf_ dnf
        else
            zypper_
        fi
        ;;
    *) printf 'neither .deb nor .rpm: %s\n' "$old" && exit 2 ;;
esac

# All that there is, but for what the package manager writes about itself. /opt itself belongs to no package of Debian (base-files'
# script makes it), so that dpkg removes it with the last one in it.
everything() {
    find /etc /opt/* /root /srv /usr /var \
        \( -path /var/lib/dpkg -o -path /var/lib/apt -o -path /var/lib/rpm -o -path /var/lib/dnf -o -path /usr/lib/sysimage \
        -o -path /var/lib/zypp -o -path /var/cache -o -path /var/log \) -prune -o -print 2> /dev/null | sort
}

# Installed, every file as shipped, no file that no package knows, and it runs.
is_right() {
    local version=$1 differences
    differences=$(differing; comm -13 <(files | sort) <(find "$venv" | sort))
    [ -z "$differences" ] || { printf '%s\n' "$differences" > "$log"; return 1; }
    [ "$("$name" 2> "$log")" = "3 rings of $version" ] && installed
}
as_before() { diff "$before" <(everything) > "$log"; }
nothing_else_came() { diff <(printf '%s\n' "$packages" "$name" | sort) <(packages) > "$log"; }

refresh
# What it depends on, so that all that comes and goes from here on is the package.
mapfile -t required < <(requirements)
manage install "${required[@]}"
before=$(mktemp)
everything > "$before"
packages=$(packages)

check 'it installs without recommended packages' manage install "$old"
check 'nothing but the package came' nothing_else_came
check 'what was installed is right' is_right 1.0.0
check 'it has only the scripts that remove what earlier versions and Python leave behind' only_cleaning_scripts
check 'running it wrote no file' is_right 1.0.0
check 'it is installed again' reinstall "$old"
check 'what was installed again is right' is_right 1.0.0
check 'it is upgraded' manage install "$new"
check 'the upgraded one is right, without a file of the old one' is_right 1.1.0
check 'it is downgraded when that is allowed' downgrade "$old"
check 'the downgraded one is right, without a file of the new one' is_right 1.0.0
check 'an ordinary user runs it' test "$(setpriv --reuid 65534 --regid 65534 --clear-groups "$name")" = '3 rings of 1.0.0'
check 'it is removed' remove
check 'after removal nothing of it remains' as_before
check 'after removal the package manager does not know it' unknown
check 'it comes back' manage install "$new"
check 'what came back is right' is_right 1.1.0
check 'it is removed with its configuration' remove_with_configuration
check 'after that nothing of it remains' as_before

exit "$failed"
