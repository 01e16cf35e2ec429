#!/bin/sh
# build.sh FOLDER - bundles the page into FOLDER/page.html, with its policy in page.csp
#
# Needs node and npm. Where they are missing, or the packages cannot be had, the
# page is one that says so, and the next make tries again (its time is long ago).
set -u
to=$1 from=$(dirname "$0")

unbuilt() {
	echo "websink: the page is not built: $1" >&2
	cp "$from/unbuilt.html" "$to/page.html" || exit 1
	printf "default-src 'none'; frame-ancestors 'none'" >"$to/page.csp" || exit 1
	touch -d @1 "$to/page.html"
	exit 0
}

command -v node >/dev/null 2>&1 || unbuilt 'there is no node (Debian: nodejs npm; make deps-ui)'
command -v npm >/dev/null 2>&1 || unbuilt 'there is no npm (Debian: nodejs npm; make deps-ui)'
if ! cmp -s "$from/package-lock.json" "$to/package-lock.json" || [ ! -d "$to/node_modules" ]; then
	rm -rf "$to/node_modules"
	cp "$from/package.json" "$from/package-lock.json" "$to/" || exit 1
	(cd "$to" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) || {
		rm -rf "$to/node_modules"
		unbuilt 'npm could not get its packages'
	}
fi
exec node "$from/build.mjs" "$from" "$to"
