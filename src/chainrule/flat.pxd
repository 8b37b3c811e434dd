# The types of flat.py for its native build.

cimport cython
from cpython.object cimport PyObject
from libc.string cimport memcmp

from chainrule.engine cimport Value


cdef extern from "Python.h":
    ctypedef int (*Visit)(PyObject* found, void* argument) noexcept
    ctypedef struct PyTypeObject:
        int (*tp_traverse)(PyObject* container, Visit visit, void* argument) noexcept
    PyTypeObject* Py_TYPE(PyObject* object)
    bint PyDict_CheckExact(PyObject* object)
    bint PyDict_Next(PyObject* entries, Py_ssize_t* place, PyObject** key, PyObject** item)
    bint PyList_CheckExact(PyObject* object)
    PyObject* PyList_GET_ITEM(PyObject* items, Py_ssize_t i)
    Py_ssize_t PyList_GET_SIZE(PyObject* items)
    PyObject** PySequence_Fast_ITEMS(PyObject* items)


@cython.locals(value=Value, i=Py_ssize_t)
cpdef read_data(list values, double[::1] vector)
@cython.locals(value=Value, i=Py_ssize_t)
cpdef write_data(list values, double[::1] vector)
@cython.locals(value=Value, i=Py_ssize_t)
cpdef write_grads(list values, double[::1] vector)
@cython.locals(value=Value, i=Py_ssize_t)
cpdef add_grads(list values, double[::1] vector)
@cython.locals(value=Value, ops=list, operands=list, numbers=list, found=tuple)
cpdef add_nodes(list made, dict places, object enter, object graph, list values)
cdef object _place(Value value, dict places, object enter)
cpdef bint are_held(list containers, list held)
@cython.locals(scope=dict, i=Py_ssize_t)
cpdef bint are_named(list scopes, list names, list objects, object missing)


# ---- what containers hold ----


# Nothing below runs Python code or counts references: the caller's lists keep alive what is
# compared, and a pointer read from a container is compared at once, and not followed.
cdef inline bint all_hold(list containers, list held) noexcept:
    """Whether each container holds the objects of the list at its place."""
    cdef PyObject* kept = <PyObject*> held
    cdef PyObject* live = <PyObject*> containers
    cdef Py_ssize_t i
    for i in range(PyList_GET_SIZE(live)):
        if not holds(PyList_GET_ITEM(live, i), PyList_GET_ITEM(kept, i)):
            return False
    return True


cdef struct Rest:  # of the objects that a container held: those that were not yet found again
    PyObject** next
    PyObject** end


cdef inline bint holds(PyObject* container, PyObject* held) noexcept:
    """Whether a container holds the objects of a list, in this order."""
    cdef Py_ssize_t count = PyList_GET_SIZE(held)
    cdef PyObject** objects = PySequence_Fast_ITEMS(held)
    cdef Rest rest = Rest(objects, objects + count)
    cdef Py_ssize_t place = 0
    cdef PyObject* key
    cdef PyObject* item
    if PyList_CheckExact(container):
        if PyList_GET_SIZE(container) != count or count == 0:
            return PyList_GET_SIZE(container) == count
        return memcmp(PySequence_Fast_ITEMS(container), objects, count * sizeof(PyObject*)) == 0
    if PyDict_CheckExact(container):
        while PyDict_Next(container, &place, &key, &item):
            if is_another(key, &rest) or is_another(item, &rest):
                return False
    elif Py_TYPE(container).tp_traverse(container, is_another, &rest):
        return False
    return rest.next == rest.end


cdef inline int is_another(PyObject* found, void* argument) noexcept:
    cdef Rest* rest = <Rest*> argument
    if rest.next == rest.end or rest.next[0] != found:
        return 1
    rest.next += 1
    return 0
