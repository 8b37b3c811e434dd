"""What is asked of training: gradients set to zero, steps, the lecture's tiny data set."""

TITLE = "Loss and descent"

GROUPS = {
    "zeroing": """
        # two expressions add up on a leaf
        a = Value(3.0)
        (a * a).backward()
        (a + a).backward()
        print(a.grad)  # 2 * 3 + 2

        # a gradient set to zero begins anew
        a = Value(3.0)
        (a * a).backward()
        a.grad = 0.0
        (a + a).backward()
        print(a.grad)  # 2

        # zero_grad() of a network (if there)
        net = MLP(2, [2, 1])
        for p in net.parameters():
            p.data = 0.1
        y = net([1.0, 2.0])
        (y if hasattr(y, "data") else y[0]).backward()
        net.zero_grad()
        print([bool(p.grad) for p in net.parameters()])  # [False] * 9
        print([p.data for p in net.parameters()])  # [0.1] * 9
        """,
    "descent": """
        # a step along the gradient goes up
        a, b, c, f = Value(2.0), Value(-3.0), Value(10.0), Value(-2.0)
        L = (a * b + c) * f
        L.backward()
        for p in (a, b, c, f):
            p.data += 0.01 * p.grad
        L = (a * b + c) * f
        print(L.data)  # (2.06 * -3.04 + 9.98) * -1.96

        # ten steps down a parabola
        w = Value(0.0)
        for _ in range(10):
            w.grad = 0.0
            loss = (w - 3) ** 2
            loss.backward()
            w.data -= 0.1 * w.grad
        print(w.data)  # 3 - 3 * 0.8**10

        # without zeroing, gradients pile up
        w = Value(0.0)
        for _ in range(2):
            loss = (w - 3) ** 2
            loss.backward()
            w.data -= 0.1 * w.grad
        print(w.data)  # 0.6 + 0.1 * (6 + 4.8)

        # mean squared error of a line
        w, b = Value(0.5), Value(-1.0)
        xs, ys = [1.0, 2.0, 4.0], [2.0, 3.0, 7.0]
        loss = sum((w * x + b - y) ** 2 for x, y in zip(xs, ys)) / 3
        loss.backward()
        print(loss.data)  # (2.5**2 + 3**2 + 6**2) / 3
        print(w.grad, b.grad)  # -2 / 3 * (2.5 + 3 * 2 + 6 * 4), -2 / 3 * (2.5 + 3 + 6)

        # a network learns the tiny data set
        xs = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
        ys = [1.0, -1.0, -1.0, 1.0]
        net, losses = MLP(3, [4, 4, 1]), []
        for i, p in enumerate(net.parameters()):
            p.data = 0.1 + 0.05 * (i * i % 7)
        for _ in range(20):
            outputs = [net(x) for x in xs]
            outputs = [y if hasattr(y, "data") else y[0] for y in outputs]
            loss = sum((out - y) ** 2 for out, y in zip(outputs, ys))
            for p in net.parameters():
                p.grad = 0.0
            loss.backward()
            for p in net.parameters():
                p.data -= 0.01 * p.grad
            losses.append(loss.data)
        print(losses[-1] < losses[0])  # True
        """,
}
