#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# chroot.sh [REPOSITORY] - `make check` and `make demo` as somebody meets them who has just installed git and make.
#
# Builds a minimal Debian (SUITE, bookworm) in a temporary folder with debootstrap from the mirror that this machine's
# apt uses, clones the last commit into it, runs the two commands, and removes all of it. Needs root. Proxies of the
# environment and of apt are handed on. ONLY_DEPS=1 stops after installing the packages.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
suite=${SUITE:-bookworm}

if [ "${1:-}" = --in-own-mounts ]; then
	shift
else
	for program in debootstrap unshare git; do
		command -v $program >/dev/null || { echo "chroot.sh: needs $program" >&2; exit 1; }
	done
	[ "$(id -u)" = 0 ] || { echo "chroot.sh: needs root" >&2; exit 1; }
	# What is mounted in here, and what is started, ends with this process.
	exec unshare --mount --pid --fork --kill-child "$0" --in-own-mounts "$(cd "${1:-$top}" && pwd)"
fi
repository=$1

# shellcheck disable=SC2016  # apt's, not the shell's
mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
	awk -v suite="$suite" '$2 == suite && $3 == "main" { print $1; exit }')
[ -n "$mirror" ] || { echo "chroot.sh: apt knows no mirror for $suite" >&2; exit 1; }

root=$(mktemp -d "${TMPDIR:-/tmp}/s2sctl-fresh.XXXXXX")
chmod 755 "$root"
# shellcheck disable=SC2317  # called by the trap
clean_up() {
	umount -lR "$root/proc" "$root/dev" 2>/dev/null || :
	rm -rf --one-file-system "$root"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

echo "-- a minimal $suite with git and make"
debootstrap --variant=minbase --include=git,make,ca-certificates "$suite" "$root" "$mirror" >"$root.log" 2>&1 ||
	{ tail -n 20 "$root.log" >&2; rm -f "$root.log"; exit 1; }
rm -f "$root.log"
apt-config dump Acquire | grep -i '::proxy' >"$root/etc/apt/apt.conf.d/90proxy" || :
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
git clone -q "$repository" "$root/root/s2sctl"

inside() {
	env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM="${TERM:-dumb}" LC_ALL=C.UTF-8 \
		http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}" no_proxy="${no_proxy:-}" \
		chroot "$root" sh -c "cd /root/s2sctl && $1"
}
if [ -n "${ONLY_DEPS:-}" ]; then
	inside 'make deps && make deps'
	exit
fi
status=0
for command in 'make check' 'make demo'; do
	echo "-- $command"
	started=$(date +%s)
	inside "$command" || status=1
	echo "-- $command took $(($(date +%s) - started)) s"
done
exit $status
