//! Which authorizer is asked.

/// What a domain configuration says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Domain<'a> {
    /// AWS: `defaultAuthorizerName`.
    pub default_authorizer_name: Option<&'a str>,
    /// AWS: `allowAuthorizerOverride`.
    pub allow_authorizer_override: bool,
}

/// Why none is asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAuthorizer {
    /// The client named none, and there is no default.
    #[error("the client names no authorizer, and the account has no default authorizer")]
    Unnamed,
    /// The client named another one than its domain's default, which the domain does not allow.
    #[error("the client names an authorizer, and its domain configuration allows no other than its default")]
    Override,
}

/// The name of the authorizer that is asked: the client's choice, else its domain's default, else its account's.
///
/// Unverified: that a name which the domain does not allow is refused, and not passed over; that the account's default counts
/// for a domain without one.
pub fn choose<'a>(
    asked: Option<&'a str>,
    domain: Option<Domain<'a>>,
    account_default: Option<&'a str>,
) -> Result<&'a str, NoAuthorizer> {
    let of_domain = domain.and_then(|domain| domain.default_authorizer_name);
    match (asked, domain) {
        (Some(asked), Some(domain)) if !domain.allow_authorizer_override && of_domain != Some(asked) => {
            Err(NoAuthorizer::Override)
        }
        (Some(asked), _) => Ok(asked),
        (None, _) => of_domain.or(account_default).ok_or(NoAuthorizer::Unnamed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_chooses_then_its_domain_then_its_account() {
        let domain = |default_authorizer_name, allow_authorizer_override| {
            Some(Domain { default_authorizer_name, allow_authorizer_override })
        };
        for (asked, domain, account, expected) in [
            (None, None, None, Err(NoAuthorizer::Unnamed)),
            (None, None, Some("account"), Ok("account")),
            (Some("asked"), None, None, Ok("asked")),
            (Some("asked"), None, Some("account"), Ok("asked")),
            (None, domain(Some("domain"), true), Some("account"), Ok("domain")),
            (None, domain(Some("domain"), false), Some("account"), Ok("domain")),
            (None, domain(None, true), Some("account"), Ok("account")),
            (None, domain(None, false), None, Err(NoAuthorizer::Unnamed)),
            (Some("asked"), domain(Some("domain"), true), None, Ok("asked")),
            (Some("asked"), domain(Some("domain"), false), None, Err(NoAuthorizer::Override)),
            (Some("domain"), domain(Some("domain"), false), None, Ok("domain")),
            (Some("asked"), domain(None, false), Some("asked"), Err(NoAuthorizer::Override)),
        ] {
            assert_eq!(choose(asked, domain, account), expected, "{asked:?} {domain:?} {account:?}");
        }
    }
}
