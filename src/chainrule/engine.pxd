# The types of engine.py for its native build. What it does stands there alone; here is only what
# Python does by itself and C does not: memory, and methods added to a type.

cimport cython
cimport libc.math as math
from cpython.object cimport PyObject
from libc.string cimport memset

from chainrule cimport floats


cdef extern from "Python.h":
    ctypedef struct PyTypeObject:
        void* tp_dict
        PyObject* (*tp_alloc)(PyTypeObject*, Py_ssize_t) noexcept
        void (*tp_dealloc)(PyObject*) noexcept
    void PyType_Modified(PyTypeObject* type)
    Py_ssize_t Py_REFCNT(PyObject* object)
    void Py_SET_REFCNT(PyObject* object, Py_ssize_t count)
    void Py_DECREF(PyObject* object)
    void* PyObject_Malloc(size_t size)
    void PyObject_Free(void* memory)
    PyObject* PyObject_INIT(PyObject* memory, PyTypeObject* type)
    PyObject* PyErr_NoMemory()


cdef extern from *:
    ctypedef struct Slots "struct __pyx_obj_9chainrule_6engine_Value":
        double _data
        void* _a
        void* _b
        void* _next
        void* _rare


@cython.final
cdef class Value:
    cdef readonly double _data  # apply() reads it where types are not known
    cdef double _grad, _da, _db
    cdef Value _a, _b, _next
    cdef tuple _rare
    cdef int _code
    cdef unsigned int _mark


cdef int LEAF, CONSTANT, ADD, SUB, MUL, DIV, POW, NEG, EXP, LOG, TANH, SELECTS, RELU
cdef unsigned int _walks
cdef object _hook
cdef tuple PLAIN
cdef dict _constants


@cython.locals(value=Value)
cdef Value _inner(int code, double data, Value a, double da, Value b, double db, tuple more=*)
cdef Value _operand(object other)
cdef double _assignable(Value value, str what, object number) except? -1.0
@cython.locals(shared=Value)
cpdef Value constant(object number)
@cython.locals(values=list, found=tuple)
cpdef Value apply(int code, object local, object operands)
cpdef forget(Value value)
cpdef Value wide(int code, double data, tuple operands, object derivatives)
cdef Value _entering(object x)
@cython.locals(chain=Value)
cpdef list operands_first(object output)
@cython.locals(chain=Value, value=Value, operand=Value)
cdef Value _results_first(Value output, bint afresh)
cdef Value _unmarked(Value value)
@cython.locals(operand=Value)
cdef Value _unmarked_further(Value value)
@cython.locals(gradient=double, selects=bint)
cdef int _pass_on(Value value) except -1
@cython.locals(operand=Value, derivative=double)
cdef int _pass_on_further(Value value) except -1


cdef inline setattr(object type, str name, object attribute):
    """The built-in one refuses types that are not made by Python code."""
    (<dict> (<PyTypeObject*> type).tp_dict)[name] = attribute
    PyType_Modified(<PyTypeObject*> type)


# ---- the memory of values ----


cdef void* _pins[16]


cdef inline void own_memory(object type) noexcept:
    """Have values made and freed by the functions below, and not by Python's."""
    (<PyTypeObject*> type).tp_alloc = allocate
    (<PyTypeObject*> type).tp_dealloc = release


cdef inline PyObject* allocate(PyTypeObject* type, Py_ssize_t items) noexcept:
    """The memory of a value, all 0."""
    cdef Slots* value = <Slots*> PyObject_Malloc(sizeof(Slots))
    if value == NULL:
        return PyErr_NoMemory()
    memset(&value._data, 0, sizeof(Slots) - sizeof(PyObject))
    return PyObject_INIT(<PyObject*> value, type)


cdef inline void release(PyObject* dead) noexcept:
    """Free a dead value and, in a loop, what it alone kept alive: recursion would be as deep.

    An operand that nobody else holds joins a chain by `_next`, and is freed from there.
    """
    cdef Slots* value = <Slots*> dead
    cdef Slots* dying = let_go(value._next, NULL)
    while value != NULL:
        dying = let_go(value._b, let_go(value._a, dying))
        Py_DECREF(<PyObject*> value._rare)
        keep(value)
        value = dying
        if value != NULL:
            dying = <Slots*> value._next


cdef inline Slots* let_go(void* held, Slots* dying) noexcept:
    """The chain of the dying, with what has no reference left when this one is gone."""
    cdef Slots* value
    while True:
        Py_SET_REFCNT(<PyObject*> held, Py_REFCNT(<PyObject*> held) - 1)
        if Py_REFCNT(<PyObject*> held) > 0:  # None never dies
            return dying
        value = <Slots*> held
        held = value._next
        value._next = dying
        dying = value


cdef inline void keep(Slots* value) noexcept:
    """Give the memory of a dead value back, but for one in each of Python's arenas of 1 MB.

    An arena that is empty would go back to the system, and the next graph would wait for another.
    """
    cdef void** pin = &_pins[(<size_t> value >> 20) % 16]
    if pin[0] == NULL:
        pin[0] = value
    else:
        PyObject_Free(value)
