#!/bin/bash
# Installs, runs and removes the guestbook's package inside a clean root; prints what it finds, one sentence a line.
# Usage: guestbook_in_root.sh PACKAGE.deb VISITOR.py, or PACKAGE.rpm VISITOR.py postgresql.sh (of tests/rpmworld), as root, in a root
# that is thrown away afterwards.
# shellcheck disable=SC2317  # the functions are called, by check
set -uo pipefail

package=$1
visitor=$2
postgresql=${3-}
venv=/opt/venvs/guestbook
log=$(mktemp)
failed=0

heading() { printf '\n== %s\n' "$*"; }

# Runs a command; its output matters only when it fails, and then nothing after it makes sense.
step() {
    if ! "$@" > "$log" 2>&1; then
        printf 'failed: %s\n' "$*"
        tail -n 60 "$log"
        exit 1
    fi
}

check() {
    local sentence=$1
    shift
    if "$@"; then
        printf '  yes  %s\n' "$sentence"
    else
        printf '  NO   %s\n' "$sentence"
        failed=1
    fi
}

no_compiler() {
    local program
    for program in cc gcc g++ c++ clang as ld make; do
        if command -v "$program"; then return 1; fi
    done
}

# The words of each family: what it calls its program, and what it does with a package.
deb() {
    manager=apt servers=postgresql libraries='/usr/lib/[a-z0-9_-]*-linux-gnu[a-z0-9]*'
    prepare() { apt-get update -q; }
    install() { apt-get install -q -y --no-install-recommends "$@"; }
    content() { apt-get check -qq; }
    described() { dpkg-query -W -f '  ${Package} ${Version}\n  Depends: ${Depends}\n' guestbook; }
    differing() { dpkg --verify guestbook; }
    files() { dpkg -L guestbook; }
    remove() { apt-get purge -q -y guestbook; }
    # The network is shared with the machine and its other roots: the database listens on its socket file only (whose name
    # has the port in it, and Debian's default is the first one free on the machine).
    start_postgresql() {
        local version cluster
        read -r version cluster _ < <(pg_lsclusters --no-header)
        step pg_conftool "$version" "$cluster" set listen_addresses ''
        step pg_conftool "$version" "$cluster" set port 5432
        step pg_ctlcluster "$version" "$cluster" start
        step useradd --system guestbook
        step runuser -u postgres -- createuser guestbook
        step runuser -u postgres -- createdb --owner guestbook guestbook
    }
}
rpm_() {
    servers=postgresql-server libraries=/usr/lib64
    if command -v dnf5 > /dev/null; then dnf_ dnf5; elif command -v dnf > /dev/null; then dnf_ dnf; else zypper_; fi
    described() {
        rpm -q --qf '  %{NAME} %{VERSION}-%{RELEASE}\n' guestbook
        # One line for a library, not one for each of its symbol versions.
        rpm -q --requires guestbook | grep -v -e '^rpmlib' -e '^lib.*([^)]\+)(64bit)$' | sed 's/^/  Requires: /'
    }
    differing() { rpm -V guestbook; }
    files() { rpm -ql guestbook; }
    start_postgresql() {
        # shellcheck source=tests/rpmworld/postgresql.sh
        step source "$postgresql" guestbook
    }
}
dnf_() {
    manager=$1
    prepare() { "$manager" -q makecache; }
    install() { "$manager" -y --setopt=install_weak_deps=False install "$@"; }
    content() { "$manager" -q check; }
    remove() { "$manager" -y remove guestbook; }
}
zypper_() {
    manager=zypper
    prepare() { zypper --non-interactive refresh; }
    install() { zypper --non-interactive install --no-recommends --allow-unsigned-rpm "$@"; }
    content() { zypper --non-interactive verify --dry-run | grep -q 'Dependencies of all installed packages are satisfied'; }
    remove() { zypper --non-interactive remove --clean-deps guestbook; }
}
case $package in
    *.deb) deb ;;
    *.rpm) rpm_ ;;
    *) printf 'neither .deb nor .rpm: %s\n' "$package" && exit 2 ;;
esac

# Both families' verification prints a line for every file that is not as shipped.
verified() {
    local differences
    differences=$(differing) && [ -z "$differences" ] && return
    printf '%s\n' "$differences"
    return 1
}

nothing_unowned() {
    local unowned
    unowned=$(comm -13 <(files | sort) <(find "$venv" | sort))
    [ -z "$unowned" ] && return
    head -n 20 <<< "$unowned"
    return 1
}

nothing_left() {
    local left
    left=$(find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /mnt -o -path /tmp -o -path /run \) -prune \
        -o -path '*guestbook*' -not -path '/var/lib/postgresql/*' -not -path '/var/lib/pgsql/*' -print)
    if [ -e "$venv" ]; then left+=" $venv"; fi
    [ -z "$left" ] && return
    printf '%s\n' "$left"
    return 1
}

# What the process has mapped after importing all that is native.
mapped() { "$venv/bin/python" -I -c 'import lxml.etree, psycopg2; print(open("/proc/self/maps").read())'; }
uses_of_distribution() {
    local maps && maps=$(mapped) && grep -q " $libraries/$1\.so\." <<< "$maps"
}
no_grafted_library() { local maps && maps=$(mapped) && [[ $maps != *.libs/* ]]; }

heading "Install by $manager: the package and what it depends on, nothing else"
# PostgreSQL comes afterwards: it would bring libpq and libxml2 along, and hide that they were missing in the dependencies.
step prepare
step install "$package"
described
check "$manager is content with the dependencies" content
check 'no compiler is installed' no_compiler
check 'every file is as shipped' verified
check 'the command is on the PATH' test "$(command -v guestbook)" = /usr/bin/guestbook
check 'the command says its version' grep -qx 'guestbook 1\.0\.0' <(guestbook --version)
check "psycopg2 uses the distribution's libpq" uses_of_distribution libpq
check "lxml uses the distribution's libxml2" uses_of_distribution libxml2
check 'no library is grafted into a wheel' no_grafted_library

heading "Add the distribution's PostgreSQL, make the database"
step install "$servers"
start_postgresql
printf '  %s\n' "$(runuser -u guestbook -- psql --version)"
check 'the database is made ready' grep -q ready <(runuser -u guestbook -- guestbook init-db)
check 'making it ready again is harmless' grep -q ready <(runuser -u guestbook -- guestbook init-db)
check 'an unreachable database is an error in words' \
    grep -q 'The database cannot be used' <(GUESTBOOK_DATABASE='host=/nowhere' guestbook init-db 2>&1)

heading 'Serve, sign, read back'
port=$("$venv/bin/python" -I -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
runuser -u guestbook -- guestbook serve --bind "127.0.0.1:$port" > "$log" 2>&1 &
"$venv/bin/python" -I "$visitor" "http://127.0.0.1:$port" || { failed=1; tail -n 40 "$log"; }
kill -TERM "$!"
wait "$!"
check 'the server ends when told to' test "$?" -eq 0 -o "$?" -eq 143
check 'running it wrote nothing into its directory' nothing_unowned
check 'every file is still as shipped' verified

heading "Remove, with its configuration"
step remove
check 'nothing of it is left' nothing_left

exit "$failed"
