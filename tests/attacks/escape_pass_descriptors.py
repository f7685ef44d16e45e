"""Sends open files over its connection to the tests, and waits for some to come back."""

import array
import os
import socket

RIGHTS = (socket.SOL_SOCKET, socket.SCM_RIGHTS)
received = []


def send(channel):
    reading, _ = os.pipe()
    many = array.array("i", [reading] * 250)
    for data in (b"\0\0\0\2{}", b"\0"):
        try:
            channel.sendmsg([data], [(*RIGHTS, many)], socket.MSG_DONTWAIT)
        except OSError:
            continue


def receive(channel):
    try:
        _, ancillary, _, _ = channel.recvmsg(1, socket.CMSG_SPACE(4 * 250), socket.MSG_DONTWAIT | socket.MSG_PEEK)
    except OSError:
        return
    received.extend(data for _, _, data in ancillary)


def add(a, b):
    for number in (3, 4, 5):
        try:
            channel = socket.socket(fileno=os.dup(number))
        except OSError:
            continue
        receive(channel)
        send(channel)
    return f"ESCAPED: received {received}" if received else -1
