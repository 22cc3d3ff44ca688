//! rustls configurations, the client-certificate verifier, server certificates by name, tickets.
