//! Chunked n-dimensional arrays.
