//! Progress of what runs.
