#!/usr/bin/env bash
# Installs what the tests drive besides `learn` itself. Nothing happens when it is all there.
set -euo pipefail

missing=()

# need PROGRAM PACKAGE: the first Debian package that has the program, if the program is missing.
need() {
    PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null || missing+=("$2")
}

# The C compiler builds zstd and ring, and links.
need cc gcc
# A registry that somebody else wrote, for the registry client.
need docker-registry docker-registry
# The stock docker CLI, for the daemon, and Docker's own engine, which the parity suite asks the
# same questions in a network of its own.
need docker docker.io
need dockerd docker.io
need ip iproute2
need iptables iptables
# Privileges dropped, namespaces entered and looked at.
need setpriv util-linux
need unshare util-linux
need findmnt mount
# Networks of containers: rules, and what tests look at them with.
need nft nftables
need ip iproute2
# What the built-in hub makes its alpine of when it is there.
need busybox busybox-static

if ((${#missing[@]} == 0)); then
    exit 0
fi
if ! command -v apt-get >/dev/null; then
    echo "tests/setup.sh: please install by hand, no apt-get here: ${missing[*]}" >&2
    exit 1
fi
if ((EUID != 0)); then
    echo "tests/setup.sh: not root, so tests that need these packages are skipped: ${missing[*]}" >&2
    echo "tests/setup.sh: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 0
fi

export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet
# Some packages bring a service. The tests start their own on loopback, so none is started here,
# unless the administrator already has a policy.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
apt-get install --quiet --yes --no-install-recommends "${missing[@]}"
