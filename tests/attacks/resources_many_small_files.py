"""Makes as many empty files, links and folders as it can in eight seconds, which take time to clear up."""

import os
import time

end = time.monotonic() + 8
made = 0


def make(number):
    folder = f"folder_{number}"
    os.mkdir(folder)
    for entry in range(500):
        os.close(os.open(f"{folder}/empty_{entry}", os.O_CREAT, 0o600))
        os.link(f"{folder}/empty_{entry}", f"{folder}/hard_{entry}")
        os.symlink("/usr", f"{folder}/soft_{entry}")
        os.mkdir(f"{folder}/inner_{entry}")


while time.monotonic() < end:
    try:
        make(made)
    except OSError:
        break
    made += 1


def add(a, b):
    return a + b
