#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# deps.sh GROUP... - installs the Debian or Ubuntu packages that the named groups need, and only those that are missing.
#
# Silent, and nothing is touched, when all of them are there. Works as root or with a sudo that asks nothing; otherwise
# prints the command to run and fails. On other systems it names what is needed and goes on.
set -eu

wanted=
for group in "$@"; do
	case $group in
	build) more="gcc libc6-dev make pkg-config libcurl4-openssl-dev libyaml-dev libcjson-dev libssl-dev
		libmicrohttpd-dev ca-certificates" ;;
	demo) more="curl" ;;
	test) more="libcmocka-dev curl openssl openssh-client cmark-gfm libxml2-utils python3 python3-jsonschema python3-yaml git tzdata" ;;
	html) more="chromium python3" ;;
	clang) more="clang clang-runtime" ;; # clang-runtime: see add_clang_runtime
	lint) more="clang-format shellcheck" ;;
	contract) # by command: some packages of node bring npm without one of that name
		more=
		command -v node >/dev/null && command -v npm >/dev/null || more="nodejs npm" ;;
	*) echo "deps.sh: unknown group '$group'" >&2; exit 64 ;;
	esac
	wanted="$wanted $more"
done

if ! command -v dpkg-query >/dev/null 2>&1; then
	echo "deps.sh: not a Debian; these have to be there already:" >&2
	echo "  a C11 compiler, GNU make, pkg-config, libcurl, libyaml, cJSON, OpenSSL, libmicrohttpd; for tests cmocka" >&2
	exit 0
fi

installed() {
	case $(dpkg-query -W -f '${Status}' "$1" 2>/dev/null) in
	*" ok installed") return 0 ;;
	*) return 1 ;;
	esac
}

# The sanitizers' and libFuzzer's libraries: their package has clang's version in its name, and on older releases
# they are part of another one. So ask clang, not dpkg, whether they are there.
clang_runtime_works() {
	command -v clang >/dev/null 2>&1 &&
		echo 'int main(void) { return 0; }' | clang -fsanitize=address,undefined -x c -o /dev/null - 2>/dev/null
}
add_clang_runtime() {
	version=$(apt-cache depends clang 2>/dev/null | sed -n 's/^ *Depends: clang-\([0-9][0-9]*\)$/\1/p')
	for name in "libclang-rt-$version-dev" "libclang-common-$version-dev"; do
		if apt-cache show "$name" >/dev/null 2>&1; then
			missing="$missing $name"
			return
		fi
	done
}

missing=
runtime=no
for package in $wanted; do
	case " $missing " in *" $package "*) continue ;; esac
	if [ "$package" = clang-runtime ]; then
		clang_runtime_works || runtime=yes
	elif ! installed "$package"; then
		missing="$missing $package"
	fi
done
[ -n "$missing" ] || [ $runtime = yes ] || exit 0

if [ "$(id -u)" = 0 ]; then
	as_root=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
	as_root="sudo -n"
else
	[ $runtime = no ] || add_clang_runtime
	echo "deps.sh: packages are missing, and installing them needs root. Run:" >&2
	echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends$missing" >&2
	exit 1
fi

apt() {
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@" </dev/null >&2
}
apt update || echo "deps.sh: apt-get update had trouble; going on" >&2
[ $runtime = no ] || add_clang_runtime
echo "deps.sh: installing$missing" >&2
# shellcheck disable=SC2086  # a list of words
apt install -y --no-install-recommends $missing
