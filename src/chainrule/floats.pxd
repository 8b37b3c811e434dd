# The types of floats.py for its native build, in which `math` is C's.

cimport cython
cimport libc.math as math


cdef double _NAN, _INF

cpdef double divide(double x, double y) noexcept
cpdef double power(double x, double y) noexcept
cpdef double exp(double x) noexcept
cpdef double log(double x) noexcept
cpdef double tanh(double x) noexcept
cpdef bint is_number(object x) except -1
cpdef double as_number(object x) except? -1.0
cpdef as_text(object label)
