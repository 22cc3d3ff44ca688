//! Every identifier of an account, parsed once.
//!
//! A value of one of these types is valid: whoever receives it never checks again. All of them are small;
//! most are `Copy`. Beside them what every layer needs to work with them: time, rates, maps by number. Nothing here does I/O, reads a clock or draws random numbers.

mod account;
mod arn;
mod hex;
mod name;
mod number;
mod percent;
mod rate;
mod time;

pub use account::{AccountId, Region, Tenant};
pub use arn::{Arn, Resource};
pub use hex::{CaCertificateId, CertificateId, RegistrationCode};
pub use name::{
    AccessKeyId, AuthorizerName, DomainConfigurationName, PolicyName, ShadowName, ThingGroupName, ThingName,
    ThingTypeName,
};
pub use number::{NumberHasher, NumberMap};
pub use percent::percent_decoded;
pub use rate::{Rate, SharedRate};
pub use time::{Clock, Monotonic, Now, Timestamp};

/// Why a text is not the identifier it was taken for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not 12 decimal digits.
    #[error("an account id is 12 digits")]
    Account,
    /// Not a region name such as `eu-central-1`.
    #[error("a region is lower-case words and a number joined by hyphens, such as eu-central-1")]
    Region,
    /// Not 64 hexadecimal digits.
    #[error("expected 64 hexadecimal digits")]
    Digest,
    /// Not `arn:partition:service:region:account:resource`.
    #[error("not an ARN: {0}")]
    Arn(&'static str),
    /// Not 1-128 characters of `[\w+=,.@-]`.
    #[error("a policy name is 1-128 characters out of letters, digits and _+=,.@-")]
    PolicyName,
    /// Not 1-128 characters of `[a-zA-Z0-9:_-]`.
    #[error("a thing name is 1-128 characters out of letters, digits and :_-")]
    ThingName,
    /// Not 1-128 characters of `[a-zA-Z0-9:_-]`.
    #[error("a thing type name is 1-128 characters out of letters, digits and :_-")]
    ThingTypeName,
    /// Not 1-128 characters of `[a-zA-Z0-9:_-]`.
    #[error("a thing group name is 1-128 characters out of letters, digits and :_-")]
    ThingGroupName,
    /// Not 1-128 characters of `[\w=,@-]`.
    #[error("an authorizer name is 1-128 characters out of letters, digits and _=,@-")]
    AuthorizerName,
    /// Not 1-128 characters of `[\w.:-]`.
    #[error("a domain configuration name is 1-128 characters out of letters, digits and _.:-")]
    DomainConfigurationName,
    /// Not 1-64 characters of `[$a-zA-Z0-9:_-]`.
    #[error("a shadow name is 1-64 characters out of letters, digits and $:_-")]
    ShadowName,
    /// Not 16-128 word characters.
    #[error("an access key id is 16-128 letters, digits and underscores")]
    AccessKey,
}
