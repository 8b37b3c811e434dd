"""Your own engine. Chapters 2, 4, 5 and 6 ask you to write it, piece by piece, in this file."""

import math
import random

# ---- chapter 2: a value that remembers how it was made ----


class Value:
    def __init__(self, data, operands=(), op="", label=""):
        self.data = data
        self.operands = operands
        self.op = op
        self.label = label
        self.grad = 0.0

    def __repr__(self):
        return f"Value(data={self.data}, grad={self.grad})"

    # Write __add__ and __mul__ here.

    # ---- chapter 4: backpropagation ----

    # ---- chapter 5: more operations ----


# ---- chapter 6: networks ----
