"""The client's side of Redis' protocol: commands out, replies in, with the bytes they came as."""
import socket


def encoded(arguments):
    parts = [b"*%d\r\n" % len(arguments)]
    parts += [b"$%d\r\n%s\r\n" % (len(argument), argument) for argument in arguments]
    return b"".join(parts)


class Reply:
    """`kind` is its first byte, `raw` all of it; `items` are the replies within it, if any."""

    def __init__(self, kind, raw, text=b"", items=()):
        self.kind, self.raw, self.text, self.items = kind, raw, text, items

    def regardless_of_order(self):
        """For comparing what comes in any order."""
        return (self.raw.split(b"\r\n")[0], sorted(item.raw for item in self.items))

    def pairs_regardless_of_order(self):
        raws = [item.raw for item in self.items]
        return (self.raw.split(b"\r\n")[0], sorted(zip(raws[::2], raws[1::2])))

    def __repr__(self):
        return repr(self.raw)


class Connection:
    def __init__(self, port, limit=60):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=limit)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = self.socket.makefile("rb")

    def close(self):
        self.stream.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def ask(self, *arguments):
        self.send(encoded([argument if isinstance(argument, bytes) else str(argument).encode()
                           for argument in arguments]))
        return self.read()

    def read(self):
        line = self.stream.readline()
        if not line.endswith(b"\r\n"):
            raise EOFError("the connection was closed")
        kind, rest = line[:1], line[1:-2]
        if kind in b"+-:_,":
            return Reply(kind, line, rest)
        count = int(rest)
        if count < 0:
            return Reply(kind, line)
        if kind in b"$=":
            text = self.stream.read(count + 2)
            return Reply(kind, line + text, text[:-2])
        if kind not in b"*~%":
            raise AssertionError(f"no reply begins like {line!r}")
        items = [self.read() for _ in range(2 * count if kind == b"%" else count)]
        return Reply(kind, line + b"".join(item.raw for item in items), items=items)
