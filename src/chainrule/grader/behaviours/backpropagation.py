"""What is asked of backward(): gradients, reuse, order, and what goes further than the lecture."""

TITLE = "Backpropagation"

GROUPS = {
    "gradients": """
        # the result's own gradient is 1
        a, b = Value(2.0), Value(-3.0)
        c = a * b
        c.backward()
        print(c.grad)  # 1

        # backward() of a leaf
        a = Value(2.0)
        a.backward()
        print(a.grad)  # 1

        # gradient of a + b
        a, b = Value(2.0), Value(-3.0)
        c = a + b
        c.backward()
        print(a.grad, b.grad)  # 1, 1

        # gradient of a * b
        a, b = Value(2.0), Value(-3.0)
        c = a * b
        c.backward()
        print(a.grad, b.grad)  # -3, 2

        # gradient of a - b
        a, b = Value(2.0), Value(-3.0)
        c = a - b
        c.backward()
        print(a.grad, b.grad)  # 1, -1

        # gradient of -a
        a = Value(2.0)
        b = -a
        b.backward()
        print(a.grad)  # -1

        # gradient of a / b
        a, b = Value(3.0), Value(-4.0)
        c = a / b
        c.backward()
        print(a.grad, b.grad)  # 1 / -4, -3 / (-4)**2

        # gradient of a ** 2
        a = Value(-3.0)
        b = a**2
        b.backward()
        print(a.grad)  # 2 * -3

        # the chain rule through three operations
        a, b, c, f = Value(2.0), Value(-3.0), Value(10.0), Value(-2.0)
        L = (a * b + c) * f
        L.backward()
        print(a.grad, b.grad)  # -3 * -2, 2 * -2
        print(c.grad, f.grad)  # -2, 2 * -3 + 10

        # inner values have gradients
        a, b, c, f = Value(2.0), Value(-3.0), Value(10.0), Value(-2.0)
        e = a * b
        d = e + c
        L = d * f
        L.backward()
        print(e.grad, d.grad)  # -2, -2
        """,
    "reuse": """
        # a + a
        a = Value(3.0)
        b = a + a
        b.backward()
        print(b.data, a.grad)  # 6, 2

        # a * a
        a = Value(3.0)
        b = a * a
        b.backward()
        print(b.data, a.grad)  # 9, 2 * 3

        # a - a and a / a
        a, b = Value(3.0), Value(4.0)
        c = (a - a) + (b / b)
        c.backward()
        print(a.grad, b.grad)  # 0, 0

        # a + a + a
        a = Value(3.0)
        b = a + a + a
        b.backward()
        print(b.data, a.grad)  # 9, 3

        # (a * b) * (a + b)
        a, b = Value(-2.0), Value(3.0)
        c = (a * b) * (a + b)
        c.backward()
        print(a.grad, b.grad)  # 2 * -2 * 3 + 3**2, (-2)**2 + 2 * -2 * 3

        # an inner value used twice
        a, b = Value(2.0), Value(-3.0)
        d = a + b
        e = d * d
        e.backward()
        print(d.grad, a.grad, b.grad)  # 2 * -1, 2 * -1, 2 * -1

        # c += c
        a, b = Value(2.0), Value(-3.0)
        c = a * b
        before = c
        c += c
        c.backward()
        print(c.data, before.data)  # 2 * (2 * -3), 2 * -3
        print(a.grad, b.grad)  # 2 * -3, 2 * 2

        # two values of the same number
        a, b = Value(3.0), Value(3.0)
        c = a * b + a
        c.backward()
        print(a.grad, b.grad)  # 3 + 1, 3
        """,
    "order": """
        # a short way before a long way
        a = Value(2.0)
        b = a * a
        c = b + b * b
        c.backward()
        print(b.grad, a.grad)  # 1 + 2 * 4, (1 + 2 * 4) * (2 * 2)

        # a long way before a short way
        a = Value(2.0)
        b = a * a
        c = b * b + b
        c.backward()
        print(b.grad, a.grad)  # 1 + 2 * 4, (1 + 2 * 4) * (2 * 2)

        # ways of three lengths
        a, b = Value(2.0), Value(3.0)
        d = a * b
        e = d * b
        f = d + (e * d + e)
        f.backward()
        print(d.grad)  # 1 + 2 * 6 * 3 + 3
        print(a.grad, b.grad)  # 3 * (1 + 2 * 6 * 3 + 3), 2 + 3 * 2**2 * 3**2 + 2 * 2 * 3

        # 2**30 ways through thirty doublings
        a = Value(1.0)
        b = a
        for _ in range(30):
            b = b + b
        b.backward()
        print(b.data, a.grad)  # 2**30, 2**30
        """,
    "depth": """
        # a chain of 5,000 sums (further)
        a = Value(2.0)
        b = a
        for _ in range(5000):
            b = b + a
        b.backward()
        print(b.data, a.grad)  # 2 * 5001, 5001

        # a product under 5,000 signs (further)
        a, b = Value(2.0), Value(-3.0)
        c = a * b
        for _ in range(5000):
            c = -c
        c.backward()
        print(c.data, a.grad, b.grad)  # -6, -3, 2
        """,
    "repeated backward": """
        # backward() twice adds up on leaves (further)
        a, b = Value(2.0), Value(-3.0)
        c = a * b
        c.backward()
        c.backward()
        print(a.grad, b.grad)  # 2 * -3, 2 * 2

        # backward() twice through inner values (further)
        x = Value(3.0)
        y = x * x * x
        y.backward()
        y.backward()
        print(x.grad)  # 2 * (3 * 3**2)

        # two results share an inner value (further)
        a, b = Value(2.0), Value(-3.0)
        d = a * b
        e, f = d * a, d + b
        e.backward()
        f.backward()
        print(a.grad, b.grad)  # 2 * 2 * -3 + -3, 2**2 + 2 + 1

        # an inner value, then the result (further)
        a = Value(3.0)
        b = a * a
        c = b * b
        b.backward()
        c.backward()
        print(a.grad)  # 2 * 3 + 4 * 3**3
        """,
}
