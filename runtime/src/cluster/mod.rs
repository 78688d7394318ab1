//! Local clusters and clients.
