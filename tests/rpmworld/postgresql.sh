# shellcheck shell=bash
# Starts PostgreSQL in a root of an rpm world that has postgresql-server; to be sourced, as root. Afterwards the account and
# the database called $1 exist, reachable by the socket only, since a root shares the network with the machine.
data=/var/lib/pgsql/data
runuser -u postgres -- initdb --auth=peer --pgdata="$data" > /tmp/initdb.log
echo "listen_addresses = ''" >> "$data/postgresql.conf"
runuser -u postgres -- pg_ctl --wait --pgdata="$data" --log=/tmp/postgresql.log start > /dev/null
id "$1" > /dev/null 2>&1 || useradd --system "$1"
runuser -u postgres -- createuser "$1"
runuser -u postgres -- createdb --owner "$1" "$1"
