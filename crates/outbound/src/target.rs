//! Where a call goes.

use std::{fmt, net::IpAddr, str::FromStr};

use hyper::Uri;
use rustls_pki_types::ServerName;

/// An absolute `https` or `http` URL without user name and fragment, read once.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    host: String,
    port: u16,
    tls: Option<ServerName<'static>>,
    path_and_query: String,
}

/// Why a text is no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTarget {
    /// It is no URL.
    #[error("it is no URL")]
    NotAUrl,
    /// It begins with something else than `https://` or `http://`.
    #[error("it must begin with https:// or http://")]
    Scheme,
    /// It has a user name or password, which would be in logs.
    #[error("it must not have a user name: use a secret")]
    UserName,
    /// Its host is no name that a certificate can have.
    #[error("its host is no host name or address")]
    Host,
}

impl Target {
    /// The host, for errors, logs and the resolver; an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whom to expect at the other end of TLS; `None` without TLS.
    pub(crate) fn tls(&self) -> Option<&ServerName<'static>> {
        self.tls.as_ref()
    }

    pub(crate) fn path_and_query(&self) -> &str {
        &self.path_and_query
    }

    /// The `Host` header.
    pub(crate) fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let usual = if self.tls.is_some() { 443 } else { 80 };
        if self.port == usual { host } else { format!("{host}:{}", self.port) }
    }
}

impl FromStr for Target {
    type Err = BadTarget;

    fn from_str(text: &str) -> Result<Self, BadTarget> {
        if text.contains('#') {
            return Err(BadTarget::NotAUrl);
        }
        let uri: Uri = text.parse().map_err(|_| BadTarget::NotAUrl)?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(BadTarget::Scheme),
        };
        let authority = uri.authority().ok_or(BadTarget::NotAUrl)?;
        if authority.as_str().contains('@') {
            return Err(BadTarget::UserName);
        }
        let host = authority.host();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let name = ServerName::try_from(host.to_owned()).map_err(|_| BadTarget::Host)?;
        let path_and_query = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self {
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            tls: tls.then_some(name),
            path_and_query,
        })
    }
}

/// Without path and query, which may hold a secret.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.tls.is_some() { "https" } else { "http" }, self.authority())
    }
}

/// The address that the host is itself, if it is one.
pub(crate) fn literal(host: &str) -> Option<IpAddr> {
    host.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_an_absolute_url() {
        for (text, host, port, path, authority) in [
            ("https://example.com", "example.com", 443, "/", "example.com"),
            ("https://example.com:8443/a/b?c=d", "example.com", 8443, "/a/b?c=d", "example.com:8443"),
            ("http://127.0.0.1:80/x", "127.0.0.1", 80, "/x", "127.0.0.1"),
            ("http://[::1]:8080/", "::1", 8080, "/", "[::1]:8080"),
        ] {
            let target: Target = text.parse().unwrap();
            assert_eq!((target.host(), target.port(), target.path_and_query()), (host, port, path), "{text}");
            assert_eq!(target.authority(), authority, "{text}");
        }
        for (text, why) in [
            ("", BadTarget::NotAUrl),
            ("example.com", BadTarget::Scheme),
            ("/hook", BadTarget::Scheme),
            ("ftp://example.com/", BadTarget::Scheme),
            ("https://me:secret@example.com/", BadTarget::UserName),
            ("https://exa mple.com/", BadTarget::NotAUrl),
            ("https://example.com/#part", BadTarget::NotAUrl),
            ("https://-/", BadTarget::Host),
        ] {
            assert_eq!(text.parse::<Target>(), Err(why), "{text}");
        }
    }

    #[test]
    fn a_target_hides_its_path() {
        let target: Target = "https://example.com/T0KEN?k=v".parse().unwrap();
        assert_eq!(format!("{target:?}"), "https://example.com");
    }
}
