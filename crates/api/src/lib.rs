//! The operators' edge: AWS-shaped HTTPS.
