"""Random commands, many of them wrong, on few keys of all types."""

KEYS = [b"k%d" % number for number in range(14)] + [b"", b"\x00\xff", b"a{b}*[c]"]
VALUES = [b"", b"0", b"1", b"-1", b"7", b"10", b"9223372036854775807", b"-9223372036854775808",
          b"9223372036854775808", b"007", b"+1", b"1.5", b"abc", b"x y", b"\r\n", b"\x00\x01",
          b"long" * 40]
MEMBERS = [b"m%d" % number for number in range(12)] + [b"", b"\xff", b"12"]
SCORES = [b"0", b"1", b"-1", b"2", b"3", b"1.5", b"0.1", b"1e3", b"-2.5e-3", b"inf", b"-inf",
          b"+inf", b"3.0000000000000001", b"1e300", b"1e-310", b"0x10", b"+4",
          b"123456789012345678", b"1e17"]
NO_SCORES = [b"nan", b"", b"x", b"1x", b" 1", b"1e999", b"1e-999", b"0xinf", b"--1", b"+-1"]
NO_ENDS = [b"nan", b"x", b"1x", b""]  # the last is none, but means 0
RANKS = [b"0", b"1", b"2", b"-1", b"-2", b"-3", b"5", b"100", b"-100"]
COUNTS = [b"0", b"1", b"2", b"3", b"100", b"-1", b"x", b""]
PATTERNS = [b"*", b"k*", b"k?", b"k[0-5]", b"k[^0-5]", b"k[5-0]", b"k\\1", b"[", b"k[1", b"*1*",
            b"", b"a{b}\\*\\[c]", b"**0", b"k[]", b"?"]
TIMES = [b"100", b"1000", b"5000", b"0", b"-1", b"x", b"9223372036854775807", b"9223372036854775",
         b"-9223372036854775808", b"1.5"]
OTHERS = [[b"NOSUCH"], [b"nosuch", b"a", b"b c"], [b"client|id"], [b"CLIENT", b"nosuch"],
          [b"config", b"Nosuch", b"a"], [b"client", b"getname"], [b"client", b"setname", b"ann"],
          [b"client", b"setname", b"a b"], [b"client", b"setname"], [b"ping"], [b"ping", b"x"],
          [b"echo", b"x\r\ny"], [b"auth", b"x"], [b"auth", b"a", b"b"], [b"auth", b"default", b"x"],
          [b"exec"], [b"discard"], [b"config", b"get", b"save"], [b"select", b"16"],
          [b"select", b"x"], [b"hello", b"4"], [b"hello", b"x"], [b"hello", b"2", b"nosuch"],
          [b"command", b"nosuch"], [b"flushall", b"nosuch"], [b"flushall", b"sync", b"x"],
          [b"no" * 100, b"x" * 200, b"y"], [b"scan", b"x"], [b"scan", b"0", b"count"],
          [b"scan", b"0", b"count", b"0"], [b"scan", b"0", b"count", b"x"],
          [b"scan", b"0", b"a", b"b"],
          [b"spop", b"k1", b"x"], [b"spop", b"k1", b"-1"], [b"spop", b"k1", b"0"],
          [b"spop", b"k1", b"1", b"2"], [b"spop", b"nokey"], [b"spop", b"nokey", b"3"]]

# Of these only the elements count, in twos for the last.
UNORDERED = {b"smembers", b"keys"}
UNORDERED_PAIRS = {b"hgetall"}


class Stream:
    """Draws from a `random.Random`."""

    def __init__(self, random):
        self.random = random
        self.makers = [self.string, self.number, self.several, self.key, self.time, self.list,
                       self.set, self.hash, self.sorted_set, self.ranges]

    def pick(self, *choices):
        return self.random.choice(choices)

    def some(self, choices, most=3):
        return [self.random.choice(choices) for _ in range(self.random.randint(1, most))]

    def one_key(self):
        return self.random.choice(KEYS)

    def score(self):
        return self.random.choice(SCORES if self.random.random() < 0.97 else NO_SCORES)

    def command(self):
        """One command, in which one time of 30 something is too much or missing."""
        if self.random.random() < 0.05:
            return list(self.random.choice(OTHERS))
        made = self.random.choice(self.makers)()
        if self.random.random() < 1 / 30:
            made = made[:-1] if self.random.random() < 0.5 and made[1:] else made + [b"1"]
        if self.random.random() < 0.3:
            made[0] = made[0].upper()
        return made

    def string(self):
        key, value = self.one_key(), self.random.choice(VALUES)
        name = self.pick(b"get", b"set", b"set", b"append", b"strlen")
        if name in (b"get", b"strlen"):
            return [name, key]
        made = [name, key, value]
        while name == b"set" and self.random.random() < 0.4:
            option = self.pick(b"nx", b"XX", b"get", b"keepttl", b"ex", b"PX", b"nosuch")
            made.append(option)
            if option.lower() in (b"ex", b"px"):
                time = self.random.choice(TIMES)
                made.append(time + b"000" if option == b"PX" and time.isdigit() else time)
        return made

    def number(self):
        name = self.pick(b"incr", b"decr", b"incrby")
        return [name, self.one_key(), *([self.random.choice(VALUES)] if name == b"incrby" else [])]

    def several(self):
        name = self.pick(b"mget", b"mset", b"del", b"exists")
        keys = self.some(KEYS)
        if name == b"mset":
            return [name] + [word for key in keys for word in (key, self.random.choice(VALUES))]
        return [name, *(keys[:1] if name == b"del" else keys)]

    def key(self):
        name = self.pick(b"type", b"type", b"dbsize", b"keys", b"persist", b"ttl")
        if name == b"dbsize":
            return [name] if self.random.random() < 0.98 else [b"flushall"]
        return [name, self.random.choice(PATTERNS) if name == b"keys" else self.one_key()]

    def time(self):
        options = [self.pick(b"nx", b"xx", b"gt", b"LT", b"nosuch")
                   for _ in range(self.pick(0, 0, 0, 1, 1, 2))]
        time = self.random.choice(TIMES)
        if options:  # they compare times, of which no two may be the same but for the moment
            time = b"%d" % self.random.randrange(101, 10**8, 200)
        return [b"expire", self.one_key(), time, *options]

    def list(self):
        name = self.pick(b"lpush", b"rpush", b"lpush", b"lpop", b"rpop", b"llen", b"lrange")
        if name.endswith(b"push"):
            return [name, self.one_key(), *self.some(VALUES, 4)]
        if name == b"lrange":
            return [name, self.one_key(), self.random.choice(RANKS), self.random.choice(RANKS)]
        counted = name != b"llen" and self.random.random() < 0.4
        return [name, self.one_key(), *([self.random.choice(COUNTS)] if counted else [])]

    def set(self):
        name = self.pick(b"sadd", b"sadd", b"srem", b"smembers", b"sismember")
        if name == b"smembers":
            return [name, self.one_key()]
        return [name, self.one_key(), *self.some(MEMBERS, 1 if name == b"sismember" else 5)]

    def hash(self):
        name = self.pick(b"hset", b"hset", b"hget", b"hdel", b"hgetall")
        if name == b"hset":
            pairs = [word for member in self.some(MEMBERS)
                     for word in (member, self.random.choice(VALUES))]
            return [name, self.one_key(), *pairs]
        if name == b"hgetall":
            return [name, self.one_key()]
        return [name, self.one_key(), *self.some(MEMBERS, 1 if name == b"hget" else 4)]

    def sorted_set(self):
        name = self.pick(b"zadd", b"zadd", b"zscore", b"zpopmin")
        if name == b"zadd":
            options = [self.pick(b"nx", b"xx", b"gt", b"lt", b"CH", b"incr")
                       for _ in range(self.pick(0, 0, 0, 1, 1, 2))]
            pairs = [word for member in self.some(MEMBERS) for word in (self.score(), member)]
            return [name, self.one_key(), *options, *pairs]
        more = [self.random.choice(MEMBERS)] if name == b"zscore" else []
        if name == b"zpopmin" and self.random.random() < 0.5:
            more = [self.random.choice(COUNTS)]
        return [name, self.one_key(), *more]

    def ranges(self):
        made = [b"zrange", self.one_key()]
        kind = self.pick(b"", b"", b"byscore", b"bylex")
        for _ in range(2):
            if kind == b"byscore":
                made.append(self.pick(b"", b"", b"(") + self.random.choice(SCORES + NO_ENDS))
            elif kind == b"bylex":
                made.append(self.pick(b"-", b"+", b"x", *[edge + member for edge in (b"[", b"(")
                                                          for member in MEMBERS]))
            else:
                made.append(self.random.choice(RANKS))
        # By its bytes there is an order only among equal scores: that is asked for elsewhere.
        if kind == b"bylex":
            made[1] = b"nokey"
        options = [[kind]] if kind else []
        for option in ([b"rev"], [b"withscores"], [b"limit", self.random.choice(RANKS),
                                                   self.random.choice(RANKS)], [b"nosuch"]):
            if self.random.random() < (0.02 if option == [b"nosuch"] else 0.3):
                options.append(option)
        self.random.shuffle(options)
        return made + [word for option in options for word in option]
