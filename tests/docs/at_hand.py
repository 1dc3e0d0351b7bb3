"""`smshub` at hand: one process has read all of its code, and runs each command in a fork of itself.

A page's commands start in a moment, then, where a process of their own takes two seconds. They have the caller's
arguments, folder, environment and files, and end with their own status. Called as a program, this is the caller: it
needs nothing but the standard library, and the address of the other one in AT_HAND.
"""

import contextlib
import json
import os
import socket
import sys

_FILES = 3  # Standard input, output and error.


def serve(address: str) -> None:
    """Until the process that has started this one is gone."""
    from entrypoints.cli import main  # noqa: PLC0415 - callers do without

    parent = os.getppid()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        listener.settimeout(1)
        while os.getppid() == parent:
            with contextlib.suppress(TimeoutError), listener.accept()[0] as caller:
                if os.fork() == 0:
                    _run(main, caller)
                with contextlib.suppress(ChildProcessError):
                    while os.waitpid(-1, os.WNOHANG)[0]:
                        pass


def _run(main: object, caller: socket.socket) -> None:
    status = 1
    try:
        text, files, _, _ = socket.recv_fds(caller, 65_536, _FILES)
        while part := caller.recv(65_536):
            text += part
        for number, file in enumerate(files):
            os.dup2(file, number)
        asked = json.loads(text)
        os.chdir(asked["folder"])
        os.environ.clear()
        os.environ.update(asked["environment"])
        main(asked["arguments"], prog_name="smshub")  # type: ignore[operator]
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        caller.sendall(bytes([status]))
        os._exit(status)


def call(address: str, arguments: list[str]) -> int:
    with socket.socket(socket.AF_UNIX) as hub:
        hub.connect(address)
        asked = {"arguments": arguments, "folder": os.getcwd(), "environment": dict(os.environ)}  # noqa: PTH109
        text = json.dumps(asked).encode()
        sent = socket.send_fds(hub, [text], range(_FILES))
        hub.sendall(text[sent:])
        hub.shutdown(socket.SHUT_WR)
        return (hub.recv(1) or b"\x01")[0]


if __name__ == "__main__":
    sys.exit(call(os.environ["AT_HAND"], sys.argv[1:]))
