//! What an account owns: access keys, CAs, certificates, policies; just-in-time registration.
