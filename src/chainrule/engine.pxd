# The types of engine.py for its native build. What it does stands there alone; here is only what
# Python does by itself and C does not: memory, and methods added to a type.

cimport cython
cimport libc.math as math
from cpython.object cimport PyObject

from chainrule cimport floats


cdef extern from "Python.h":
    ctypedef struct PyTypeObject:
        void* tp_dict
    void PyType_Modified(PyTypeObject* type)
    Py_ssize_t Py_REFCNT(PyObject* object)
    void Py_INCREF(PyObject* object)


@cython.final
cdef class Value:
    cdef readonly double _data  # apply() reads it where types are not known
    cdef double _grad, _da, _db
    cdef Value _a, _b, _next
    cdef tuple _rare
    cdef int _code
    cdef unsigned int _mark
    cdef double _assignable(self, object number) except? -1.0


cdef int LEAF, CONSTANT, ADD, SUB, MUL, DIV, POW, NEG, EXP, LOG, TANH, SELECTS, RELU
cdef unsigned int _walks
cdef object _hook
cdef tuple PLAIN
cdef dict _constants


@cython.locals(value=Value)
cdef Value _inner(int code, double data, Value a, double da, Value b, double db, tuple more=*)
cdef Value _operand(object other)
@cython.locals(shared=Value)
cpdef Value constant(object number)
cpdef Value apply(int code, object local, object operands)
cpdef forget(Value value)
@cython.locals(chain=Value)
cpdef list operands_first(Value output)
@cython.locals(chain=Value, value=Value, operand=Value)
cdef Value _results_first(Value output, bint afresh)
@cython.locals(operand=Value)
cdef Value _unmarked(Value value)
@cython.locals(rest=Value)
cdef Value _taken_off(Value value)
cdef int _pass_on(Value value) except -1
cdef void _accumulate(Value operand, double derivative, Value value) noexcept


cdef inline setattr(object type, str name, object attribute):
    """The built-in one refuses types that are not made by Python code."""
    (<dict> (<PyTypeObject*> type).tp_dict)[name] = attribute
    PyType_Modified(<PyTypeObject*> type)


cdef inline void release(Value dead) noexcept:
    """Let the operands of a dying value go in a loop: left to themselves, they would recurse.

    An operand that nobody else holds joins a chain by `_next`, and is let go from there, after its
    own operands.
    """
    cdef Value dying = None, value = dead
    while value is not None:
        if dies_too(<PyObject*> value._a):
            value._a._next = dying
            dying = value._a
        value._a = None
        if dies_too(<PyObject*> value._b):
            value._b._next = dying
            dying = value._b
        value._b = None
        value = dying
        if value is not None:
            dying = value._next
            value._next = None


cdef inline bint dies_too(PyObject* operand) noexcept:
    """Whether this is the last reference to a value that has operands itself."""
    return (
        operand != <PyObject*> None
        and Py_REFCNT(operand) == 1
        and <PyObject*> (<Value> operand)._a != <PyObject*> None
    )
