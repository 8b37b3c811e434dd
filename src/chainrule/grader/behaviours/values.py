"""What is asked of values and of the graph that they make."""

TITLE = "Values and graphs"

GROUPS = {
    "construction": """
        # a value holds its number
        a, b = Value(2.5), Value(3)
        print(a.data, b.data)  # 2.5, 3

        # a gradient begins at zero
        a = Value(2.0)
        print(a.grad or 0.0)  # 0

        # data can be assigned
        a, b = Value(2.0), Value(1.0)
        a.data = 5.0
        c = a + b
        print(c.data)  # 5 + 1

        # what is printed shows the number
        a = Value(2.5)
        print("2.5" in repr(a))  # True
        """,
    "operations": """
        # a + b
        c = Value(2.0) + Value(-3.0)
        print(c.data)  # 2 + -3

        # a * b
        c = Value(2.0) * Value(-3.0)
        print(c.data)  # 2 * -3

        # a - b
        c = Value(2.0) - Value(-3.0)
        print(c.data)  # 2 - -3

        # -a
        b = -Value(2.0)
        print(b.data)  # -2

        # a / b
        c = Value(2.0) / Value(-8.0)
        print(c.data)  # 2 / -8

        # a ** 2
        b = Value(-3.0) ** 2
        print(b.data)  # 9

        # an expression of several operations
        a, b, c, f = Value(2.0), Value(-3.0), Value(10.0), Value(-2.0)
        L = (a * b + c) * f
        print(L.data)  # (2 * -3 + 10) * -2

        # operands keep their numbers
        a, b = Value(2.0), Value(-3.0)
        a + b, a * b, a - b, -a, a / b, a**2
        print(a.data, b.data)  # 2, -3
        """,
    "drawing": """
        # _prev holds the operands (if there)
        a, b = Value(2.0), Value(-3.0)
        c = a * b
        print(sorted(v.data for v in c._prev), len(a._prev))  # [-3, 2], 0

        # _op tells operations apart (if there)
        a, b = Value(2.0), Value(-3.0)
        print((a + b)._op == (a + b)._op)  # True
        print((a + b)._op == (a * b)._op)  # False

        # a label can be given (if there)
        a = Value(2.0, label="a")
        print(a.label)  # "a"
        """,
}
