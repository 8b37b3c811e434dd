"""What is asked of neurons, layers and networks, whatever their activation."""

TITLE = "Neurons, layers, networks"

GROUPS = {
    "neuron": """
        # a weight for each input, and a bias (if there)
        n = Neuron(2)
        print(len(n.parameters()))  # 2 + 1

        # a neuron's weights differ (if there)
        n = Neuron(5)
        print(len({str(p.data) for p in n.parameters()}) >= 5)  # True

        # gradients of a neuron's weights go as its inputs (if there)
        n = Neuron(2)
        for p in n.parameters():
            p.data = 0.1
        n([2.0, 3.0]).backward()
        g = sorted(p.grad for p in n.parameters())
        print(g[0] > 0, g[1] / g[0], g[2] / g[0])  # True, 2, 3

        # a neuron's inputs have gradients (if there)
        n = Neuron(2)
        for p in n.parameters():
            p.data = 0.1
        x = [Value(2.0), Value(3.0)]
        n(x).backward()
        print(x[0].grad / x[1].grad, x[0].grad > 0)  # 1, True

        # a neuron is no straight line (if there)
        n = Neuron(1)
        for p in n.parameters():
            p.data = 0.5
        low, middle, high = n([-4.0]).data, n([0.0]).data, n([4.0]).data
        print(low + high == 2 * middle)  # False
        """,
    "layer": """
        # a layer has an output for each neuron (if there)
        layer = Layer(2, 3)
        print(len(layer([1.0, -1.0])))  # 3

        # a layer has the parameters of its neurons (if there)
        layer = Layer(2, 3)
        print(len({id(p) for p in layer.parameters()}))  # 3 * (2 + 1)

        # each neuron answers for itself (if there)
        layer = Layer(2, 3)
        for p in layer.parameters():
            p.data = 0.1
        layer([2.0, 3.0])[1].backward()
        print(sum(p.grad != 0 for p in layer.parameters()))  # 2 + 1
        """,
    "network": """
        # MLP(3, [4, 4, 1]) has 41 parameters
        net = MLP(3, [4, 4, 1])
        print(len({id(p) for p in net.parameters()}))  # 4 * 4 + 4 * 5 + 5

        # a network of one output gives one value
        net = MLP(3, [4, 4, 1])
        y = net([2.0, 3.0, -1.0])
        y = y if hasattr(y, "data") else y[0]
        y.backward()
        print(y.grad)  # 1

        # a network of two outputs gives two
        net = MLP(3, [4, 2])
        print(len(net([2.0, 3.0, -1.0])))  # 2

        # every parameter has a gradient
        net = MLP(3, [4, 4, 1])
        for p in net.parameters():
            p.data = 0.1
        y = net([2.0, 3.0, -1.0])
        (y if hasattr(y, "data") else y[0]).backward()
        print(sum(p.grad != 0 for p in net.parameters()))  # 41

        # gradients say how the output moves
        net = MLP(3, [4, 4, 1])
        for i, p in enumerate(net.parameters()):
            p.data = 0.1 + 0.01 * i
        y = net([0.2, 0.3, 0.1])
        y = y if hasattr(y, "data") else y[0]
        y.backward()
        slope = sum(p.grad**2 for p in net.parameters())
        for p in net.parameters():
            p.data += 1e-7 * p.grad
        z = net([0.2, 0.3, 0.1])
        z = z if hasattr(z, "data") else z[0]
        print(abs((z.data - y.data) / (1e-7 * slope) - 1) < 1e-3)  # True
        """,
}
