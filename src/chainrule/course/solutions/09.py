"""Solutions of chapter 9."""

import random

from chainrule.course import check

# 9.1: relu(1 - target * score), and the mean.
examples = [(2.0, 1), (0.3, 1), (-0.5, -1)]
check("9.1", sum(max(0.0, 1 - target * score) for score, target in examples) / 3)


# 9.2: on the same side of 0 the product is positive.
def share_right(scores, targets):
    right = [score * target > 0 for score, target in zip(scores, targets)]
    return sum(right) / len(right)


check("9.2", share_right)


# 9.3: shuffle a copy, then cut.
def batches(examples, size):
    shuffled = random.sample(examples, len(examples))
    return [shuffled[i : i + size] for i in range(0, len(shuffled), size)]


check("9.3", batches)
