#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# vendors.sh - core knows no vendor, not even in a comment.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

words='adobe|dynamics|campaigns?|microsoft|dataverse|vaults?|etcd|ims'
check() {
	c_files core | xargs -r grep -niE "(^|[^[:alnum:]])($words)([^[:alnum:]]|$)" /dev/null |
		sed 's/^\([^:]*:[0-9]*\):[[:space:]]*/\1: names a vendor: /' || :
}
found=$(check)
verdict "$found"
