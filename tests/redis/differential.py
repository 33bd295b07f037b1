#!/usr/bin/env python3
"""The same random commands to a real Redis and to our gateway; the replies must be the same bytes.

    differential.py BIN [--commands N] [--seed S]     BIN holds mirbft-redis
"""
import argparse
import random
import re
import sys
import time

sys.dont_write_bytecode = True  # the tree stays as it is

from resp import Connection, encoded
from servers import Gateway, Redis
from stream import UNORDERED, UNORDERED_PAIRS, Stream

PER_CONNECTION = 700  # commands
MOST_IN_A_ROW = 24


class Difference(AssertionError):
    pass


class Twins:
    """One connection to each of both. `run` sends commands to both, and compares."""

    def __init__(self, redis, gateway, protocol):
        self.both = [Connection(redis.port), Connection(gateway.port)]
        if protocol == 3:
            self.ask(b"hello", b"3")

    def close(self):
        for connection in self.both:
            connection.close()

    def ask(self, *arguments):
        return self.run([list(arguments)])[0]

    def run(self, commands):
        """All at once, as a pipeline. Returns Redis' replies, which are ours too."""
        data = b"".join(self.encode(command) for command in commands)
        for connection in self.both:
            connection.send(data)
        return [self.compare(command, *[connection.read() for connection in self.both])
                for command in commands]

    @staticmethod
    def encode(command):
        """Every other of those that could be typed by hand is sent like that."""
        plain = all(re.fullmatch(rb"[!#-&(-~]+", word) for word in command)
        if plain and not command[0].startswith(b"*") and len(command[-1]) % 2:
            return b" ".join(command) + b"\r\n"
        return encoded(command)

    @staticmethod
    def compare(command, theirs, ours):
        if normal(command, theirs) != normal(command, ours):
            raise Difference(f"{command}\n  Redis:  {theirs}\n  mirbft: {ours}")
        return theirs


def normal(command, reply):
    """What of a reply must be the same."""
    name = command[0].lower()
    if name == b"hello":
        return re.sub(rb"(\$2\r\nid\r\n:)\d+", rb"\1", reply.raw)
    if name == b"ttl" and reply.kind == b":" and int(reply.text) > 1:
        return b"some time"  # a clock of its own, and another moment
    if name in UNORDERED:
        return reply.regardless_of_order()
    if name in UNORDERED_PAIRS:
        return reply.pairs_regardless_of_order()
    return reply.raw


class Course:
    """A run: ordinary commands in pipelines, and now and then one of what needs more care."""

    def __init__(self, redis, gateway, seed):
        self.redis, self.gateway = redis, gateway
        self.random = random.Random(seed)
        self.stream = Stream(self.random)
        self.done = 0
        self.special = [self.transaction, self.pop, self.scan, self.expire, self.by_bytes,
                        self.select]

    def run(self, commands):
        while self.done < commands:
            twins = Twins(self.redis, self.gateway, self.random.choice((2, 3)))
            begun = self.done
            while self.done < min(begun + PER_CONNECTION, commands):
                if self.random.random() < 0.15:
                    self.random.choice(self.special)(twins)
                else:
                    self.send(twins, [self.stream.command() for _ in range(
                        self.random.randint(1, MOST_IN_A_ROW))])
            self.compare_all(twins)
            twins.close()

    def send(self, twins, commands):
        self.done += len(commands)
        return twins.run(commands)

    def transaction(self, twins):
        """What is unordered or timed would be so within the reply to EXEC."""
        inner = [command for command in (self.stream.command() for _ in range(8))
                 if command[0].lower() not in UNORDERED | UNORDERED_PAIRS | {
                     b"ttl", b"exec", b"multi", b"discard", b"spop"}]
        last = self.random.choice([b"exec", b"exec", b"exec", b"discard"])
        nested = [[b"multi"]] if self.random.random() < 0.1 else []
        self.send(twins, [[b"multi"], *inner, *nested, [last]])

    def pop(self, twins):
        """Both choose otherwise, but both from what is there. It is put back and taken alike."""
        key = self.stream.one_key()
        before = self.send(twins, [[b"smembers", key]])[0]
        count = [self.stream.pick(b"1", b"2", b"5")] if self.random.random() < 0.5 else []
        replies = [connection.ask(b"spop", key, *count) for connection in twins.both]
        self.done += 1
        if before.kind == b"-" or not before.items:
            twins.compare([b"spop", key, *count], *replies)
            return
        for connection, reply in zip(twins.both, replies):
            popped = [item.text for item in reply.items] if count else [reply.text]
            expected = min(int(count[0]), len(before.items)) if count else 1
            if len(set(popped)) != expected or not set(popped) <= {
                    item.text for item in before.items}:
                raise Difference(f"spop {key} {count}: {reply} of {before}")
            connection.ask(b"sadd", key, *popped)
        self.send(twins, [[b"persist", key], [b"srem", key, before.items[0].text]])

    def scan(self, twins):
        """The cursors are each one's own; together the parts are all keys, no matter which."""
        options = [[b"count", self.stream.pick(b"1", b"3", b"50")],
                   [b"match", self.stream.pick(b"k*", b"*1*")],
                   [b"TYPE", self.stream.pick(b"string", b"ZSET", b"nosuch")]]
        words = [word for option in options if self.random.random() < 0.5 for word in option]
        found = []
        for connection in twins.both:
            keys, cursor = set(), b"0"
            while True:
                reply = connection.ask(b"scan", cursor, *words)
                cursor = reply.items[0].text
                keys |= {item.text for item in reply.items[1].items}
                if cursor == b"0":
                    break
            found.append(keys)
        self.done += 1
        if found[0] != found[1]:
            raise Difference(f"scan {words}\n  Redis:  {found[0]}\n  mirbft: {found[1]}")

    def expire(self, twins):
        """A time that is over, soon or at once, or far away. Looking makes Redis notice, which
        DBSIZE would not."""
        key = self.stream.one_key()
        moment = int(time.time())
        until = self.stream.pick(
            [b"px", b"1"], [b"exat", b"1"], [b"pxat", b"1"], [b"exat", b"%d" % (moment - 1)],
            [b"pxat", b"%d" % (moment * 1000 - 1)], [b"exat", b"%d" % (moment + 1000)],
            [b"pxat", b"%d" % (moment * 1000 + 10**6)], [b"exat", b"0"], [b"pxat", b"-1"])
        put = [b"set", key, b"x", *self.stream.pick([], [b"nx"], [b"xx"], [b"get"]), *until]
        looks = [[b"exists", key], [b"ttl", key], [b"get", key], [b"dbsize"]]
        if until[0] != b"px" and self.random.random() < 0.5:
            self.send(twins, [[b"multi"], put, [b"exists", key], [b"get", key], [b"exec"]])
        else:
            self.send(twins, [put])
            time.sleep(0.005)
        self.send(twins, looks)

    def by_bytes(self, twins):
        """ZRANGE BYLEX wants equal scores."""
        key = b"alike"
        members = [b"%c%c" % (self.random.randint(97, 100), self.random.randint(97, 100))
                   for _ in range(6)]
        edges = [b"-", b"+", b"[b", b"(b", b"[bc", b"(cc", b"[", b"("]
        asked = [[b"zrange", key, self.random.choice(edges), self.random.choice(edges), b"bylex",
                  *self.stream.pick([], [b"rev"], [b"limit", b"1", b"3"], [b"limit", b"-1", b"3"],
                                    [b"rev", b"limit", b"1", b"-1"])] for _ in range(4)]
        self.send(twins, [[b"zadd", key, b"0", member] for member in members] + asked)

    def select(self, twins):
        self.send(twins, [[b"select", self.stream.pick(b"0", b"1", b"15")]])

    def compare_all(self, twins):
        """What all keys hold."""
        shown = {b"string": [b"get"], b"list": [b"lrange", b"0", b"-1"], b"set": [b"smembers"],
                 b"hash": [b"hgetall"], b"zset": [b"zrange", b"0", b"-1", b"withscores"]}
        for database in (b"0", b"1", b"15"):
            twins.ask(b"select", database)
            for key in twins.ask(b"keys", b"*").items:
                kind = twins.ask(b"type", key.text).text
                twins.ask(shown[kind][0], key.text, *shown[kind][1:])
                twins.ask(b"ttl", key.text)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("bin")
    options.add_argument("--commands", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    with Redis() as redis, Gateway(chosen.bin) as gateway:
        course = Course(redis, gateway, chosen.seed)
        try:
            course.run(chosen.commands)
        except Difference as difference:
            sys.exit(f"seed {chosen.seed}, after {course.done} commands: {difference}")
    print(f"seed {chosen.seed}: {course.done} commands, no difference")


if __name__ == "__main__":
    main()
