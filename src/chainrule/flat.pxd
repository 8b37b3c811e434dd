# The types of flat.py for its native build.

cimport cython

from chainrule.engine cimport Value


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
