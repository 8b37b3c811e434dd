# The types of ops.py for its native build: the sum over a neuron's inputs is a loop of C.

cimport cython


@cython.locals(i=Py_ssize_t)
cpdef object weighted_sum(object weights, list inputs, object start)
