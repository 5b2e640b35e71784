#!/bin/sh
# Prints the push server's stream as it comes: subscribe.sh <socket path>
# Each topic ends with //EOM//.
exec nc -U "$1"
