"""What is asked of more operations: numbers on either side, powers, functions, edge cases."""

TITLE = "More operations"

GROUPS = {
    "reflected": """
        # a + 1
        a = Value(2.0)
        b = a + 1
        b.backward()
        print(b.data, a.grad)  # 3, 1

        # 1 + a
        a = Value(2.0)
        b = 1 + a
        b.backward()
        print(b.data, a.grad)  # 3, 1

        # a - 5
        a = Value(2.0)
        b = a - 5
        b.backward()
        print(b.data, a.grad)  # -3, 1

        # 5 - a
        a = Value(2.0)
        b = 5 - a
        b.backward()
        print(b.data, a.grad)  # 3, -1

        # a * 3
        a = Value(2.0)
        b = a * 3
        b.backward()
        print(b.data, a.grad)  # 6, 3

        # 3 * a
        a = Value(2.0)
        b = 3 * a
        b.backward()
        print(b.data, a.grad)  # 6, 3

        # a / 4
        a = Value(2.0)
        b = a / 4
        b.backward()
        print(b.data, a.grad)  # 2 / 4, 1 / 4

        # 3 / a
        a = Value(2.0)
        b = 3 / a
        b.backward()
        print(b.data, a.grad)  # 3 / 2, -3 / 2**2

        # sum() of a list
        a, b = Value(2.0), Value(-3.0)
        c = sum([a * b, a, b])
        c.backward()
        print(c.data, a.grad, b.grad)  # 2 * -3 + 2 - 3, -3 + 1, 2 + 1
        """,
    "constants": """
        # numbers among values
        a = Value(2.0)
        b = 3 * a + 4
        b.backward()
        print(b.data, a.grad)  # 3 * 2 + 4, 3

        # the same number twice
        a = Value(5.0)
        b = 2 * a * 2 + 2
        b.backward()
        print(b.data, a.grad)  # 2 * 5 * 2 + 2, 2 * 2

        # whole numbers are divided as others
        a, b = Value(1), Value(2)
        c = a / b
        c.backward()
        print(c.data, a.grad, b.grad)  # 1 / 2, 1 / 2, -1 / 4
        """,
    "powers": """
        # a ** 3
        a = Value(-2.0)
        b = a**3
        b.backward()
        print(b.data, a.grad)  # (-2)**3, 3 * (-2)**2

        # a ** 0.5
        a = Value(4.0)
        b = a**0.5
        b.backward()
        print(b.data, a.grad)  # sqrt(4), 0.5 / sqrt(4)

        # a ** -1
        a = Value(4.0)
        b = a**-1
        b.backward()
        print(b.data, a.grad)  # 1 / 4, -1 / 4**2

        # a ** 1 and a ** 0
        a = Value(3.0)
        b = a**1 + a**0
        b.backward()
        print(b.data, a.grad)  # 3 + 1, 1

        # a power within an expression
        a, b = Value(2.0), Value(3.0)
        d = a + b
        c = d * d**2 + a
        c.backward()
        print(c.data, a.grad, b.grad)  # 5**3 + 2, 3 * 5**2 + 1, 3 * 5**2

        # a ** b (further)
        a, b = Value(2.0), Value(3.0)
        c = a**b
        c.backward()
        print(c.data, a.grad, b.grad)  # 2**3, 3 * 2**2, 2**3 * log(2)

        # 2 ** a (further)
        a = Value(3.0)
        b = 2**a
        b.backward()
        print(b.data, a.grad)  # 2**3, 2**3 * log(2)
        """,
    "functions": """
        # tanh or relu is there
        a = Value(0.5)
        b = a.tanh() if hasattr(a, "tanh") else a.relu()
        b.backward()
        print(b.data > 0, a.grad > 0)  # True, True

        # tanh (if there)
        a = Value(0.8)
        b = a * a.tanh()
        b.backward()
        print(b.data, a.grad)  # 0.8 * tanh(0.8), tanh(0.8) + 0.8 * (1 - tanh(0.8)**2)

        # relu above zero (if there)
        a = Value(0.8)
        b = a - 2 * a.relu()
        b.backward()
        print(b.data, a.grad)  # 0.8 - 2 * 0.8, 1 - 2

        # relu below zero (if there)
        a = Value(-0.8)
        b = 3 * a.relu()
        b.backward()
        print(b.data, a.grad)  # 0, 0

        # exp (if there)
        a = Value(-1.5)
        b = a * a.exp()
        b.backward()
        print(b.data, a.grad)  # -1.5 * exp(-1.5), (1 - 1.5) * exp(-1.5)

        # log (if there)
        a = Value(2.5)
        b = a * a.log()
        b.backward()
        print(b.data, a.grad)  # 2.5 * log(2.5), log(2.5) + 1

        # sigmoid (if there)
        a = Value(0.8)
        b = a * a.sigmoid()
        b.backward()
        print(b.data)  # 0.8 / (1 + exp(-0.8))
        print(a.grad)  # 1 / (1 + exp(-0.8)) + 0.8 * exp(-0.8) / (1 + exp(-0.8))**2

        # tanh taken apart (if there)
        x = Value(0.8)
        e = (2 * x).exp()
        o = (e - 1) / (e + 1)
        o.backward()
        print(o.data, x.grad)  # tanh(0.8), 1 - tanh(0.8)**2

        # a neuron with tanh (if there)
        x1, x2, w1, w2 = Value(2.0), Value(0.0), Value(-3.0), Value(1.0)
        b = Value(6.8813735870195432)
        o = (x1 * w1 + x2 * w2 + b).tanh()
        o.backward()
        print(o.data)  # tanh(6.8813735870195432 - 6)
        print(x1.grad, w1.grad)  # -1.5, 1
        print(x2.grad, w2.grad)  # 0.5, 0

        # the lecture's first expression (if there)
        a, b = Value(-4.0), Value(2.0)
        c, d = a + b, a * b + b**3
        c += c + 1
        c += 1 + c + (-a)
        d += d * 2 + (b + a).relu()
        d += 3 * d + (b - a).relu()
        f = (c - d) ** 2
        g = f / 2.0 + 10.0 / f
        g.backward()
        print(g.data)  # 49 / 2 + 10 / 49
        print(a.grad, b.grad)  # 280 * (1 / 2 - 10 / 49**2), 1302 * (1 / 2 - 10 / 49**2)
        """,
    "edge cases": """
        # a factor of zero
        a, b = Value(0.0), Value(5.0)
        c = a * b
        c.backward()
        print(c.data, a.grad, b.grad)  # 0, 5, 0

        # a square at zero
        a = Value(0.0)
        b = a**2
        b.backward()
        print(b.data, a.grad)  # 0, 0

        # nan is passed on
        a = Value(float("nan"))
        b = a * 2 + 1
        print(b.data == b.data)  # False

        # relu at zero (if there)
        a = Value(0.0)
        b = a.relu()
        b.backward()
        print(b.data, 0 <= a.grad <= 1)  # 0, True

        # tanh far from zero (further)
        a, b = Value(1000.0), Value(-1000.0)
        c = a.tanh() + 2 * b.tanh()
        c.backward()
        print(c.data, a.grad, b.grad)  # -1, 0, 0

        # exp too large for a float (further)
        a = Value(1000.0)
        b = a.exp()
        print(b.data)  # inf

        # a square too large for a float (further)
        a = Value(1e200)
        b = a**2
        print(b.data)  # inf

        # division by zero (further)
        a, b = Value(1.0), Value(0.0)
        c = a / b
        c.backward()
        print(c.data, a.grad, b.grad)  # inf, inf, -inf
        """,
}
