//! The devices' edge: listeners, cores, TLS with client certificates.
