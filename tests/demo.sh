#!/bin/sh
# demo.sh BUILD: msn.com as it was in January 2006, in a lab on this machine, probed as a user would.
set -eu
build=$1

echo "A lab on loopback plays msn.com of January 2006: four MX hosts with four addresses each;"
echo "one address is dead, and one server is out of memory. The probe runs against it:"
echo
echo "  \$ mxprobe msn.com"
echo

status=0
"$build/lab" tests/lab/scenarios/msn.lab -- \
	"$build/mxprobe" --resolver @DNS@ -p @PORT@ -F probe.example.org msn.com || status=$?

echo
if [ "$status" != 1 ]; then
	echo "demo: exit $status instead of 1 (degraded)" >&2
	exit 1
fi
echo "Exit code 1: degraded. The real thing, with your own resolver, port 25 and any domain:"
echo
echo "  ./mxprobe msn.com"
