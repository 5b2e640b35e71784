#!/usr/bin/env python3
"""Prints each topic that the push server announces: subscribe.py <socket path>"""
import socket
import sys

EOM = b"//EOM//"

with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as push_server:
    push_server.connect(sys.argv[1])
    print("connected", flush=True)
    pending = b""
    while piece := push_server.recv(65536):
        *topics, pending = (pending + piece).split(EOM)
        for topic in topics:
            print(topic.decode(), flush=True)
