"""Solutions of chapter 7."""

from chainrule.course import check

# 7.1: four differences, squared and averaged.
differences = [0.9 - 1, -0.5 + 1, -1.0 + 1, 0.2 - 1]
check("7.1", sum(d**2 for d in differences) / 4)

# 7.2: w - lr * 2 * w = (1 - 2 * lr) * w.
check("7.2", 1 - 2 * 1.1)

# 7.3: the second step uses both gradients.
w, gradient = 1.0, 0.0
for _ in range(2):
    gradient += 2 * w
    w -= 0.1 * gradient
check("7.3", w)


# 7.4: forward, zero, backward, step.
def train(model, xs, ys, lr, steps):
    losses = []
    for _ in range(steps):
        loss = sum((model(x) - y) ** 2 for x, y in zip(xs, ys)) / len(xs)
        losses.append(loss.data)
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= lr * p.grad
    return losses


check("7.4", train)
