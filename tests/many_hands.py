"""
A class that was written by many hands, and copies that were made to look like other work.

Each author of `write_answers` makes some sixty choices, each for itself: how values are named,
taken from the dictionary, multiplied, added, put into temporaries, stored, looped over, returned.
`disguise` renames, reorders, lays out and comments anew what another has written.
"""

import ast
import random
import textwrap
from collections.abc import Iterator

NAMES = {
    "a": ["a_next", "h", "a_new", "anext", "hidden", "state", "a_t", "at"],
    "y": ["yt_pred", "yt", "y_hat", "pred", "out", "y_t", "prob"],
    "z": ["z", "pre", "lin", "s", "score", "za", "tmp", "total"],
    "cat": ["concat", "stacked", "ax", "joint", "both", "inp", "v"],
    "c": ["c_next", "c_new", "cell", "memory", "c_t", "cn"],
    "cache": ["cache", "saved", "memo", "stuff", "for_later"],
    "caches": ["caches", "all_caches", "history", "saved", "cs"],
    "t": ["t", "step", "k", "i", "time"],
    "p": ["p", "params", "par", "w"],
    "T": ["T_x", "T", "steps", "length", "n_steps"],
    "A": ["a", "states", "hs", "A", "hidden_states"],
    "Y": ["y", "ys", "outputs", "Y", "predictions"],
    "C": ["c", "cells", "memories", "C", "cell_states"],
}
REMARKS = [
    "new state",
    "prediction",
    "loop over time",
    "get the weights",
    "store",
    "TODO check",
    "ok",
]
GIVEN = {"np", "softmax", "sigmoid"}
FUNCTIONS = ("rnn_cell_forward", "rnn_forward", "lstm_cell_forward", "lstm_forward")


def write_answers(rng: random.Random) -> dict[str, str]:
    """Return the solution cells of one author of `rnn_lstm_forward`, all of them right."""
    return {name: getattr(Author(rng), name)() for name in FUNCTIONS}


class Author:
    """One who writes a function; an author of a whole notebook would be more alike to itself."""

    def __init__(self, rng: random.Random) -> None:
        self.rng, self.pick = rng, lambda *choices: rng.choice(choices)
        self.name = {key: rng.choice(names) for key, names in NAMES.items()}
        self.product = self.pick(
            "{} @ {}",
            "{} @ {}",
            "np.dot({}, {})",
            "np.dot({}, {})",
            "np.matmul({}, {})",
            "{}.dot({})",
        )
        self.lines: list[str] = []

    # Idioms

    def chance(self, share: float) -> bool:
        """Tell whether something is done."""
        return self.rng.random() < share

    def shuffled(self, *things) -> list:
        """Return the things in another order."""
        return self.rng.sample(things, len(things))

    def add(self, *lines: str) -> None:
        """Write lines, and now and then a remark or an empty line."""
        for line in lines:
            if self.chance(0.15):
                self.lines.append(f"# {self.pick(*REMARKS)}")
            self.lines.append(line)
            if self.chance(0.1):
                self.lines.append("")

    def times(self, left: str, right: str) -> str:
        """Return a product."""
        return self.product.format(left, right)

    def weights(self, *keys: str) -> dict[str, str]:
        """Write how parameters are looked up; return how each is written after that."""
        given, form = "parameters", self.pick(*range(8))
        if form == 0:
            return {key: f"{given}['{key}']" for key in keys}
        if form == 1:
            p = self.name["p"]
            self.add(f"{p} = {given}")
            return {key: f'{p}["{key}"]' for key in keys}
        order, end = self.shuffled(*keys), self.pick("", "", "_", "1")
        names = {key: key + end for key in keys}
        targets, texts = ", ".join(names[k] for k in order), ", ".join(f'"{k}"' for k in order)
        if form == 2:
            var = self.pick("k", "key", "name", "n")
            inside = self.pick(f"({texts})", f"[{texts}]")
            left, right = self.pick("()", "[]")
            self.add(f"{targets} = {left}{given}[{var}] for {var} in {inside}{right}")
        elif form == 3:
            self.add(f"{targets} = map({given}.get, [{texts}])")
        elif form == 4:
            halves = order[: len(order) // 2], order[len(order) // 2 :]
            for half in halves:
                self.add(
                    ", ".join(names[k] for k in half)
                    + " = "
                    + ", ".join(f"{given}['{k}']" for k in half)
                )
        elif form == 5:
            self.add(*(f"{names[k]} = {given}['{k}']" for k in order if k[0] == "W"))
            return {k: names[k] if k[0] == "W" else f"{given}['{k}']" for k in keys}
        else:
            look_up = self.pick("{}['{}']", "{}['{}']", "{}.get('{}')")
            self.add(*(f"{names[k]} = {look_up.format(given, k)}" for k in order))
        return names

    def sum_of(self, *terms: str) -> str:
        """Write a sum, at once or step by step; return what holds it."""
        terms, z = self.shuffled(*terms), self.pick(self.name["z"], self.name["z"] + "1")
        form = self.pick("inline", "inline", "named", "in place", "again", "split", "np.add")
        if form == "inline":
            return " + ".join(terms)
        if form == "named":
            self.add(f"{z} = {' + '.join(terms)}")
        elif form == "in place":
            terms.sort(
                key=lambda term: (
                    term in ("ba", "by") or "'b" in term or '"b' in term or term[0] == "b"
                )
            )
            self.add(f"{z} = {terms[0]}", *(f"{z} += {term}" for term in terms[1:]))
        elif form == "again":
            self.add(f"{z} = {terms[0]}", *(f"{z} = {z} + {term}" for term in terms[1:]))
        elif form == "np.add":
            self.add(f"{z} = np.add({' + '.join(terms[:-1])}, {terms[-1]})")
        else:
            self.add(*(f"{z}_{n} = {term}" for n, term in enumerate(terms)))
            return " + ".join(f"{z}_{n}" for n in range(len(terms)))
        return z

    def prediction(self, weight: str, bias: str) -> None:
        """Write the prediction."""
        z = self.sum_of(self.times(weight, self.name["a"]), bias)
        self.add(f"{self.name['y']} = softmax({z})")

    def check(self, name: str, shape: str) -> None:
        """Write that a shape is as it should be, as some do."""
        if self.chance(0.15):
            self.add(
                self.pick(
                    f"assert {name}.shape == {shape}",
                    f"assert {shape} == {name}.shape",
                    f"assert np.shape({name}) == {shape}, '{name}'",
                )
            )

    def give_back(self, results: list[str], cache: str) -> None:
        """Write the last lines."""
        if self.chance(0.6):
            name = self.name["cache"]
            self.add(f"{name} = {cache}")
            cache = name
        whole = ", ".join([*results, cache])
        form = self.pick("plain", "plain", "plain", "brackets", "named")
        if form == "named":
            self.add(f"results = ({whole})", "return results")
        else:
            self.add(f"return ({whole})" if form == "brackets" else f"return {whole}")

    def cell(self, head: str) -> str:
        """Return the function."""
        doc = self.pick('"""Do one step."""', '"""The forward pass."""', '"""As in the text."""')
        body = textwrap.indent("\n".join([doc, *self.lines]), "    ")
        return f"def {head}:\n{body}\n"

    # Functions

    def rnn_cell_forward(self) -> str:
        """Write the step of an RNN."""
        a = self.name["a"]
        if self.chance(0.2):
            self.add(self.pick("n_a, m = a_prev.shape", "n_x, m = xt.shape", "m = xt.shape[1]"))
        w = self.weights("Wax", "Waa", "Wya", "ba", "by")
        form = self.pick("sum", "sum", "sum", "blocks")
        if form == "sum":
            terms = self.times(w["Waa"], "a_prev"), self.times(w["Wax"], "xt"), w["ba"]
        else:
            order = self.shuffled(("Waa", "a_prev"), ("Wax", "xt"))
            pairs = [(w[key], value) for key, value in order]
            left, right = (", ".join(each) for each in zip(*pairs, strict=True))
            rows = self.pick(f"np.concatenate(({right}), axis=0)", f"np.vstack([{right}])")
            columns = self.pick(f"np.concatenate(({left}), axis=1)", f"np.hstack(({left}))")
            self.add(f"wide = {columns}", f"tall = {rows}")
            terms = self.times("wide", "tall"), w["ba"]
        self.add(f"{a} = np.tanh({self.sum_of(*terms)})")
        self.check(a, "a_prev.shape")
        self.prediction(w["Wya"], w["by"])
        self.give_back([a, self.name["y"]], f"({a}, a_prev, xt, parameters)")
        return self.cell("rnn_cell_forward(xt, a_prev, parameters)")

    def lstm_cell_forward(self) -> str:
        """Write the step of an LSTM."""
        a, c = self.name["a"], self.name["c"]
        letters = self.pick(
            ("ft", "it", "cct", "ot"),
            ("f", "i", "g", "o"),
            ("f", "i", "cc", "o"),
            ("forget", "update", "candidate", "output"),
        )
        ft, it, cct, ot = letters
        if self.chance(0.25):
            self.add(
                self.pick(
                    "n_a, m = a_prev.shape", "n_x = xt.shape[0]", "n_y = len(parameters['by'])"
                )
            )
        early = self.chance(0.5)
        if early:
            cat = self.concatenation()
        w = self.weights("Wf", "bf", "Wi", "bi", "Wc", "bc", "Wo", "bo", "Wy", "by")
        if not early:
            cat = self.concatenation()
        self.gates(dict(zip("fico", letters, strict=True)), w, cat)
        self.new_state(c, f"{ft} * c_prev", f"{it} * {cct}", f"c_prev * {ft}", f"{cct} * {it}")
        if self.chance(0.3):
            self.add(f"squashed = np.tanh({c})")
            last = "squashed"
        else:
            last = f"np.tanh({c})"
        self.add(
            f"{a} = " + self.pick(f"{ot} * {last}", f"{last} * {ot}", f"np.multiply({ot}, {last})")
        )
        self.check(a, "a_prev.shape")
        self.prediction(w["Wy"], w["by"])
        parts = f"{a}, {c}, a_prev, c_prev, {ft}, {it}, {cct}, {ot}, xt, parameters"
        self.give_back([a, c, self.name["y"]], f"({parts})")
        return self.cell("lstm_cell_forward(xt, a_prev, c_prev, parameters)")

    def concatenation(self) -> str:
        """Write how state and input are put on one another."""
        cat = self.name["cat"]
        if self.chance(0.25):
            rows = self.pick("a_prev.shape[0]", "len(a_prev)")
            size = self.pick(
                f"{rows} + xt.shape[0], xt.shape[1]", f"{rows} + len(xt), a_prev.shape[1]"
            )
            self.add(f"{cat} = {self.pick('np.zeros', 'np.empty')}(({size}))")
            self.add(*self.shuffled(f"{cat}[:{rows}] = a_prev", f"{cat}[{rows}:] = xt"))
            return cat
        form = self.pick(
            "np.concatenate((a_prev, xt), axis=0)",
            "np.concatenate([a_prev, xt])",
            "np.vstack((a_prev, xt))",
            "np.vstack([a_prev, xt])",
            "np.r_[a_prev, xt]",
            "np.concatenate((a_prev, xt), 0)",
            "np.append(a_prev, xt, axis=0)",
        )
        self.add(f"{cat} = {form}")
        return cat

    def gates(self, names: dict[str, str], w: dict[str, str], cat: str) -> None:
        """Write the three gates and the candidate, in any order."""
        order = self.shuffled(*names)
        form = self.pick("lines", "lines", "lines", "two steps", "helper", "stacked")
        if form == "helper":
            head = self.pick(
                "gate = lambda W, b: ", "def gate(W, b): return ", "affine = lambda W, b: "
            )
            inner = " + ".join(self.shuffled(self.times("W", cat), "b"))
            affine = "affine" in head
            self.add(head + (inner if affine else f"sigmoid({inner})"))
            for k in order:
                call = f"affine({w['W' + k]}, {w['b' + k]})"
                if not affine and k == "c":
                    z = self.sum_of(self.times(w["Wc"], cat), w["bc"])
                    self.add(f"{names[k]} = np.tanh({z})")
                elif not affine:
                    self.add(f"{names[k]} = {call.replace('affine', 'gate')}")
                else:
                    self.add(f"{names[k]} = {self.squash(k)}({call})")
        elif form == "stacked":
            weights = ", ".join(w["W" + k] for k in order)
            biases = ", ".join(w["b" + k] for k in order)
            stack = self.pick(
                "np.vstack([{}])", "np.concatenate(({}), axis=0)", "np.concatenate([{}])"
            )
            self.add(f"big = {self.times(stack.format(weights), cat)} + {stack.format(biases)}")
            if self.chance(0.5):
                zs = ", ".join("z" + k for k in order)
                self.add(f"{zs} = {self.pick('np.split(big, 4)', 'np.vsplit(big, 4)')}")
                self.add(*(f"{names[k]} = {self.squash(k)}(z{k})" for k in self.shuffled(*order)))
            else:
                self.add(self.pick("n = a_prev.shape[0]", "n = len(a_prev)", "n = len(big) // 4"))
                for n, k in enumerate(order):
                    rows = ("n" if n == 1 else f"{n} * n") if n else ""
                    self.add(f"{names[k]} = {self.squash(k)}(big[{rows}:{n + 1} * n])")
        elif form == "two steps":
            bias_first = self.chance(0.3)
            for k in order:
                terms = self.times(w["W" + k], cat), w["b" + k]
                self.add(f"z{k} = " + " + ".join(terms[::-1] if bias_first else terms))
            self.add(*(f"{names[k]} = {self.squash(k)}(z{k})" for k in self.shuffled(*order)))
        else:
            bias_first = self.chance(0.3)
            for k in order:
                terms = self.times(w["W" + k], cat), w["b" + k]
                inner = " + ".join(terms[::-1] if bias_first else terms)
                self.add(f"{names[k]} = {self.squash(k)}({inner})")

    def squash(self, key: str) -> str:
        """Return the activation of a gate, or of the candidate."""
        return "np.tanh" if key == "c" else "sigmoid"

    def new_state(self, c: str, keep: str, write: str, keep2: str, write2: str) -> None:
        """Write the new cell state."""
        keep, write = self.pick(keep, keep2), self.pick(write, write2)
        if self.chance(0.2):
            keep, write = (f"np.multiply({each.replace(' * ', ', ')})" for each in (keep, write))
        form = self.pick("sum", "sum", "turned", "kept", "in place")
        if form == "kept":
            self.add(*self.shuffled(f"kept = {keep}", f"added = {write}"))
            self.add(f"{c} = " + self.pick("kept + added", "added + kept"))
        elif form == "in place":
            self.add(f"{c} = {keep}", f"{c} = {c} + {write}")
        else:
            self.add(f"{c} = {keep} + {write}" if form == "sum" else f"{c} = {write} + {keep}")

    def rnn_forward(self) -> str:
        """Write the RNN over all steps."""
        self.sequence("rnn_cell_forward", ("a", "y"), "Wya")
        return self.cell("rnn_forward(x, a0, parameters)")

    def lstm_forward(self) -> str:
        """Write the LSTM over all steps."""
        self.sequence("lstm_cell_forward", ("a", "c", "y"), "Wy")
        return self.cell("lstm_forward(x, a0, parameters)")

    def sequence(self, step: str, keys: tuple[str, ...], out: str) -> None:
        """Write a loop over time."""
        held = {key: self.name[key.upper()] for key in keys}
        now, caches, T = {key: self.name[key] for key in keys}, self.name["caches"], self.name["T"]
        listed = self.chance(0.3)
        if caches in (*held.values(), *now.values()):
            caches = "kept"
        sizes = self.sizes(T, out, listed)
        begin = [f"{caches} = {self.pick('[]', '[]', 'list()')}"]
        start = [f"{now['a']} = {self.pick('a0', 'a0', 'a0.copy()', '1 * a0')}"]
        if "c" in keys:
            zero = self.pick(
                "np.zeros_like(a0)", "np.zeros(a0.shape)", "a0 * 0", "0 * a0", "np.zeros_like(a0)"
            )
            start.append(f"{now['c']} = {zero}")
        if listed:
            start += [f"{name} = []" for name in held.values()]
        else:
            make = self.pick("np.zeros", "np.zeros", "np.empty")
            rows = {"a": sizes["n_a"], "c": sizes["n_a"], "y": sizes["n_y"]}
            start += [f"{held[k]} = {make}(({rows[k]}, {sizes['m']}, {T}))" for k in keys]
        self.add(*self.shuffled(*begin, *start))
        self.loop(step, keys, held, now, caches, listed)
        if listed:
            whole = self.pick(
                "np.stack({}, axis=2)",
                "np.stack({}, axis=-1)",
                "np.stack({}, 2)",
                "np.array({}).transpose(1, 2, 0)",
                "np.moveaxis(np.array({}), 0, -1)",
                "np.dstack({})",
            )
            self.add(*(f"{n} = {whole.format(n)}" for n in self.shuffled(*held.values())))
        order = ["a", "y", "c"] if "c" in keys else ["a", "y"]
        self.name["cache"] = self.pick(caches, self.name["cache"] + "_all")
        self.give_back([held[k] for k in order], f"({caches}, x)")

    def sizes(self, T: str, out: str, listed: bool) -> dict[str, str]:
        """Write how the sizes are found; return how they are written."""
        known = {"m": "m", "n_a": "n_a", "n_y": "n_y"}
        if listed:
            self.add(self.pick(f"{T} = x.shape[2]", f"{T} = x.shape[-1]", f"n_x, m, {T} = x.shape"))
            return known
        wide = self.pick(
            f"n_x, m, {T} = x.shape",
            f"_, m, {T} = x.shape",
            f"_, m, {T} = np.shape(x)",
            f"m, {T} = x.shape[1:]",
            f"m = x.shape[1]\n{T} = x.shape[2]",
            f"{T} = x.shape[-1]\nm = x.shape[1]",
        )
        tall = self.pick(
            f"n_y, n_a = parameters['{out}'].shape",
            f"n_a = a0.shape[0]\nn_y = parameters['{out}'].shape[0]",
            "n_y = parameters['by'].shape[0]\nn_a = len(a0)",
            f"W = parameters['{out}']\nn_y, n_a = W.shape",
            f"n_a = a0.shape[0]\nn_y = len(parameters['{out}'])",
            "",
        )
        if not tall:
            known |= {
                "n_a": "a0.shape[0]",
                "n_y": self.pick(f"parameters['{out}'].shape[0]", "len(parameters['by'])"),
            }
        self.add(*[line for line in "\n".join(self.shuffled(wide, tall)).split("\n") if line])
        return known

    def loop(
        self, step: str, keys: tuple, held: dict, now: dict, caches: str, listed: bool
    ) -> None:
        """Write the loop."""
        t, T, lines = self.name["t"], self.name["T"], []
        at = self.pick("[:, :, {}]", "[:, :, {}]", "[..., {}]").format(t)
        form = self.pick("range", "range", "range", "range", "while", "slices", "arange")
        xt = f"x{at}"
        if form == "range":
            head = f"for {t} in range({self.pick(T, T, 'x.shape[2]')}):"
        elif form == "arange":
            head = f"for {t} in {self.pick(f'np.arange({T})', f'range(0, {T})')}:"
        elif form == "while":
            self.add(f"{t} = 0")
            head = f"while {t} < {T}:"
        else:
            turned = self.pick(
                "np.moveaxis(x, 2, 0)", "x.transpose(2, 0, 1)", "np.moveaxis(x, -1, 0)"
            )
            xt = "x_t"
            head = f"for {t}, x_t in enumerate({turned}):"
        if form != "slices" and self.chance(0.4):
            lines.append(f"x_t = {self.pick(xt, xt, f'np.take(x, {t}, axis=2)')}")
            xt = "x_t"
        straight = not listed and self.chance(0.25)
        memory = self.name["cache"] if self.name["cache"] != caches else "one"
        results = [f"{held[k]}{at}" if straight else now[k] for k in keys]
        states = ", ".join(now[k] for k in keys if k != "y")
        call = f"{step}({xt}, {states}, parameters)"
        if self.chance(0.15):
            lines.append(f"result = {call}")
            call = "result"
        lines.append(f"{', '.join([*results, memory])} = {call}")
        keep = self.pick(
            f"{caches}.append({memory})",
            f"{caches}.append({memory})",
            f"{caches} += [{memory}]",
            f"{caches} = {caches} + [{memory}]",
        )
        if straight:
            store = [f"{now[k]} = {held[k]}{at}" for k in keys if k != "y"]
        elif listed:
            put = self.pick("{}.append({})", "{} += [{}]")
            store = [put.format(held[k], now[k]) for k in keys]
        elif self.chance(0.25):
            order = self.shuffled(*keys)
            left, right = (
                ", ".join(n) for n in ((f"{held[k]}{at}" for k in order), (now[k] for k in order))
            )
            store = [f"{left} = {right}"]
        else:
            store = [f"{held[k]}{at} = {now[k]}" for k in keys]
        lines += self.shuffled(*store, keep)
        if form == "while":
            lines.append(self.pick(f"{t} += 1", f"{t} = {t} + 1"))
        self.add(head)
        self.lines += [f"    {line}" for line in lines]


# Copies


def write_class(
    count: int, copies: int, seed: int, edited: float = 0.0
) -> tuple[dict[str, dict[str, str]], set[tuple[str, str]]]:
    """
    Return a class, and which pairs in it are planted.

    Parameters
    ----------
    count, copies : int
        Students who write for themselves, and students who copy one of them each.
    seed : int
    edited : float
        The share of sums and products that a copy turns round.
    """
    rng = random.Random(seed)
    written = {f"own_{n:03}": write_answers(rng) for n in range(count)}
    planted = set()
    for number, owner in enumerate(rng.sample(sorted(written), copies)):
        name = f"copy_{number:03}"
        written[name] = {
            function: disguise(turn_round(text, rng, edited), rng)
            for function, text in written[owner].items()
        }
        planted.add((owner, name))
    return written, planted


def turn_round(text: str, rng: random.Random, share: float) -> str:
    """Return the same function with some sums and products turned round, some `@` as np.dot."""

    class Turn(ast.NodeTransformer):
        def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
            self.generic_visit(node)
            if rng.random() >= share:
                return node
            if isinstance(node.op, ast.Add | ast.Mult):
                node.left, node.right = node.right, node.left
            elif isinstance(node.op, ast.MatMult):
                dot = ast.parse("np.dot", mode="eval").body
                return ast.Call(dot, [node.left, node.right], [])
            return node

    return ast.unparse(ast.fix_missing_locations(Turn().visit(ast.parse(text))))


def disguise(text: str, rng: random.Random) -> str:
    """Return the same function: renamed, reordered, laid out and commented anew."""
    tree = ast.parse(text)
    function = tree.body[0]
    del function.body[0]  # the docstring
    reorder(function.body, rng)
    own = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    own |= {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    own |= {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)} - set(FUNCTIONS)
    new = {
        name: f"{rng.choice('abcdefgh')}{rng.choice('uvwxyz')}{n}"
        for n, name in enumerate(sorted(own))
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = new.get(node.id, node.id)
        elif isinstance(node, ast.arg):
            node.arg = new[node.arg]
        elif isinstance(node, ast.FunctionDef):
            node.name = new.get(node.name, node.name)
    return "\n".join(lay_out(ast.unparse(tree).splitlines(), rng)) + "\n"


def reorder(body: list[ast.stmt], rng: random.Random) -> None:
    """Put statements into another order in which each still meets what it needs."""
    for statement in body:
        if isinstance(statement, ast.For | ast.While):
            reorder(statement.body, rng)
    left, done = list(body), []
    while left:
        free = [s for n, s in enumerate(left) if not any(depends(s, before) for before in left[:n])]
        done.append(rng.choice(free))
        left.remove(done[-1])
    body[:] = done


def depends(later: ast.stmt, earlier: ast.stmt) -> bool:
    """Tell whether two statements have to stay in their order."""
    if any(isinstance(each, ast.Return | ast.FunctionDef) for each in (later, earlier)):
        return True
    one, two = used(later), used(earlier)
    return bool(one[1] & (two[0] | two[1]) or two[1] & one[0])


def used(statement: ast.stmt) -> tuple[set[str], set[str]]:
    """Return the names that a statement reads, and those that it changes."""
    names = [n for n in ast.walk(statement) if isinstance(n, ast.Name)]
    changed = {n.id for n in names if isinstance(n.ctx, ast.Store)}
    for node in ast.walk(statement):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            changed.add(node.value.id)
        if (
            isinstance(node, ast.Attribute)
            and node.attr == "append"
            and isinstance(node.value, ast.Name)
        ):
            changed.add(node.value.id)
    return {n.id for n in names}, changed - GIVEN


def lay_out(lines: list[str], rng: random.Random) -> Iterator[str]:
    """Yield the lines with other quotes, brackets, breaks, spaces and remarks."""
    for line in lines:
        indent = line[: len(line) - len(line.lstrip())]
        if rng.random() < 0.25:
            yield f"{indent}# {rng.choice('abcdefgh') * 8}"
        if rng.random() < 0.5:
            line = line.replace("'", '"')
        left, equals, right = line.partition(" = ")
        if equals and rng.random() < 0.4:
            line = f"{left} = (\n{indent}        {right}\n{indent})"
        if rng.random() < 0.3:
            line = line.replace(", ", ",").replace(" + ", "+")
        yield line
        if rng.random() < 0.2:
            yield ""
