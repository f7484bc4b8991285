#!/bin/sh
# How cargo runs a program: a test of root's in a network namespace of its own, so that daemons
# under test never touch the machine's interfaces, rules and ports. Everything else as it is.
case "$1" in
    */deps/peers-*) ;;
    */deps/*)
        if [ "$(id -u)" = 0 ] && command -v unshare ip >/dev/null; then
            exec unshare --net -- sh -c 'ip link set lo up; exec "$@"' sh "$@"
        fi
        ;;
esac
exec "$@"
