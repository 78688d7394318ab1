//! Delayed function calls and custom task graphs.
