"""Solutions of chapter 4."""

from chainrule.course import check, load

# 4.1: q passes on 3 * 1 to p twice, too early; then r passes on q = 9.
check("4.1", 3 + 3 + 9)


# 4.2: every value promises to come after its operands.
def topological_order(result):
    order, seen = [], set()

    def visit(value):
        if value not in seen:
            seen.add(value)
            for operand in value.operands:
                visit(operand)
            order.append(value)

    visit(result)
    return order


check("4.2", topological_order)

# 4.3: backward() in solutions/my_engine.py.
check("4.3", load("solutions/my_engine.py").Value)

# 4.4: 27 from the first call; in the second, x gets t = 9 straight from y, and t passes on 3 + 3.
check("4.4", 27 + 9 + (3 + 3) * (3 + 3))
