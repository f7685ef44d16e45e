"""Crashes the interpreter: a null pointer through ctypes, through made-up bytecode, and by an abort."""

import os
import types


def by_ctypes():
    import ctypes

    return ctypes.string_at(0)


def by_bytecode():
    def hollow():
        return None

    broken = hollow.__code__.replace(co_code=bytes([100, 255, 83, 0] * 8), co_consts=())
    return types.FunctionType(broken, {})()


def add(a, b):
    if a == 2:
        return by_ctypes()
    if a == -1:
        return by_bytecode()
    os.abort()
