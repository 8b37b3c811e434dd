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
    void Py_SET_TYPE(PyObject* object, PyTypeObject* type)
    PyObject* PyErr_NoMemory()
    void* PyMem_RawMalloc(size_t size)
    void PyMem_RawFree(void* memory)
    ctypedef struct PyObjectArenaAllocator:
        void* ctx
        void* (*alloc)(void* ctx, size_t size) noexcept
        void (*free)(void* ctx, void* memory, size_t size) noexcept
    void PyObject_GetArenaAllocator(PyObjectArenaAllocator* allocator)


cdef extern from *:
    """
    #ifdef __SANITIZE_ADDRESS__  /* it watches each piece of memory by itself */
    #define PLACES 1
    #define KEPT 0
    #else
    #define PLACES 2730  /* for values, in a block of 256 KB */
    #define KEPT 32  /* blocks, even if they are empty */
    #endif
    """
    const int PLACES, KEPT
    ctypedef struct Slots "struct __pyx_obj_9chainrule_6engine_Value":
        void* _block
        double _data
        void* _a
        void* _b
        void* _next
        void* _rare


@cython.final
cdef class Value:
    cdef void* _block
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
cpdef Value wide(int code, double data, object operands, object derivatives)
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


# Values stand in blocks. One that is empty is filled again from its beginning, so that what is made
# together stands together: walks over a graph then find neighbours, which caches have at hand.
cdef struct Block:
    Block* before
    Block* after
    Slots* dead  # the places that are free again, chained by `_next`
    int used  # the places from this one on were never taken
    int alive


cdef Block _room  # where the blocks with room begin and end: they form a ring
cdef int _blocks  # with room or without
cdef PyObjectArenaAllocator _arenas  # where blocks are from: of malloc's heap, little goes back


cdef inline void own_memory(object type) noexcept:
    """Have values made and freed by the functions below, and not by Python's."""
    PyObject_GetArenaAllocator(&_arenas)
    _room.before = _room.after = &_room
    (<PyTypeObject*> type).tp_alloc = allocate
    (<PyTypeObject*> type).tp_dealloc = release


cdef inline PyObject* allocate(PyTypeObject* type, Py_ssize_t items) noexcept:
    """The memory of a value, all 0 but for what Python needs."""
    if _room.after == &_room and not add_block():
        return PyErr_NoMemory()
    cdef Block* block = _room.after
    cdef Slots* value = block.dead
    if value != NULL:
        block.dead = <Slots*> value._next
    else:
        value = <Slots*> (block + 1) + block.used
        block.used += 1
    block.alive += 1
    if block.alive == PLACES:
        take_out(block)
    memset(value, 0, sizeof(Slots))
    value._block = block
    Py_SET_REFCNT(<PyObject*> value, 1)
    Py_SET_TYPE(<PyObject*> value, type)
    return <PyObject*> value


cdef inline void release(PyObject* dead) noexcept:
    """Free a dead value and, in a loop, what it alone kept alive: recursion would be as deep.

    An operand that nobody else holds joins a chain by `_next`, and is freed from there.
    """
    cdef Slots* value = <Slots*> dead
    cdef Slots* dying = let_go(value._next, NULL)
    while value != NULL:
        dying = let_go(value._b, let_go(value._a, dying))
        Py_DECREF(<PyObject*> value._rare)
        vacate(value)
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


cdef inline void vacate(Slots* value) noexcept:
    """Free the place of a dead value, and its block if that is empty and there are plenty."""
    cdef Block* block = <Block*> value._block
    if block.alive == PLACES:
        put_in(block)
    value._next = block.dead
    block.dead = value
    block.alive -= 1
    if block.alive == 0:
        if _blocks > KEPT:
            give_back(block)
        else:
            block.dead = NULL
            block.used = 0


cdef inline bint add_block() noexcept:
    """Whether there was memory for one more block with room."""
    global _blocks
    cdef size_t size = sizeof(Block) + PLACES * sizeof(Slots)
    cdef void* memory = PyMem_RawMalloc(size) if PLACES == 1 else _arenas.alloc(_arenas.ctx, size)
    cdef Block* block = <Block*> memory
    if block != NULL:
        memset(block, 0, sizeof(Block))
        put_in(block)
        _blocks += 1
    return block != NULL


cdef inline void give_back(Block* block) noexcept:
    global _blocks
    take_out(block)
    _blocks -= 1
    if PLACES == 1:
        PyMem_RawFree(block)
    else:
        _arenas.free(_arenas.ctx, block, sizeof(Block) + PLACES * sizeof(Slots))


cdef inline void put_in(Block* block) noexcept:
    """Among the blocks with room, as the first."""
    block.before, block.after = &_room, _room.after
    block.before.after = block.after.before = block


cdef inline void take_out(Block* block) noexcept:
    """From among the blocks with room."""
    block.before.after, block.after.before = block.after, block.before
