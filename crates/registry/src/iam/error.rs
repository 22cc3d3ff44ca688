//! Why an operation of IAM or STS did not happen, in AWS's sentences where they are known.

use tidegate_ids::{AccessKeyId, PolicyName};
use tidegate_policy::MalformedPolicy;

use super::IdentityKind;

/// Why an operation of IAM or STS did not happen. AWS's names and statuses are `api`'s.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IamError {
    /// AWS: NoSuchEntity.
    #[error("The {} with name {name} cannot be found.", kind.as_str())]
    NoSuchIdentity {
        /// What was asked for.
        kind: IdentityKind,
        /// By what name.
        name: String,
    },
    /// AWS: NoSuchEntity.
    #[error("The {} policy with name {name} cannot be found.", kind.as_str())]
    NoSuchInlinePolicy {
        /// Of what.
        kind: IdentityKind,
        /// By what name.
        name: PolicyName,
    },
    /// AWS: NoSuchEntity.
    #[error("Policy {0} was not found.")]
    NoSuchPolicy(String),
    /// AWS: NoSuchEntity.
    #[error("Policy {arn} version {version} does not exist or is not attachable.")]
    NoSuchPolicyVersion {
        /// The policy.
        arn: String,
        /// What was asked for.
        version: String,
    },
    /// AWS: NoSuchEntity.
    #[error("Policy {0} does not exist or is not attachable.")]
    NotAttachable(String),
    /// AWS: NoSuchEntity.
    #[error("The Access Key with id {0} cannot be found.")]
    NoSuchAccessKey(AccessKeyId),
    /// AWS: EntityAlreadyExists.
    #[error("{} with name {name} already exists.", match kind { IdentityKind::User => "User", IdentityKind::Role => "Role" })]
    IdentityExists {
        /// What was to be made.
        kind: IdentityKind,
        /// By what name.
        name: String,
    },
    /// AWS: EntityAlreadyExists.
    #[error("A policy called {0} already exists. Duplicate names are not allowed.")]
    PolicyExists(PolicyName),
    /// AWS: DeleteConflict.
    #[error("Cannot delete entity, must delete access keys first.")]
    HasAccessKeys,
    /// AWS: DeleteConflict.
    #[error("Cannot delete entity, must delete policies first.")]
    HasInlinePolicies,
    /// AWS: DeleteConflict.
    #[error("Cannot delete entity, must detach all policies first.")]
    HasAttachedPolicies,
    /// AWS: DeleteConflict.
    #[error("Cannot delete a policy attached to entities.")]
    PolicyAttached,
    /// AWS: LimitExceeded.
    #[error("Cannot exceed quota for {quota}: {max}")]
    Quota {
        /// AWS's name of it.
        quota: &'static str,
        /// What it is.
        max: usize,
    },
    /// AWS: LimitExceeded.
    #[error("Maximum policy size of {max} bytes exceeded for {} {name}", kind.as_str())]
    InlinePoliciesTooLarge {
        /// Of what.
        kind: IdentityKind,
        /// By what name.
        name: String,
        /// The limit.
        max: usize,
    },
    /// AWS: MalformedPolicyDocument.
    #[error("{}", malformed_policy(.0))]
    MalformedPolicyDocument(MalformedPolicy),
    /// AWS: ValidationError.
    #[error(
        "The specified value for path is invalid. It must begin and end with / and contain only letters, digits and/or signs: {0:?}"
    )]
    InvalidPath(String),
    /// AWS: ValidationError.
    #[error("Invalid Marker.")]
    InvalidMarker,
    /// AWS: InvalidInput.
    #[error("ARN {0} is not valid.")]
    InvalidArn(String),
    /// AWS: ValidationError.
    #[error("Must specify userName when calling with non-User credentials")]
    UserNameNeeded,
    /// AWS: AccessDenied, of a policy that is AWS's own.
    #[error("Cannot delete a policy that is managed by AWS: {0}")]
    AwsManaged(String),
    /// AWS: ValidationError.
    #[error("{0}")]
    InvalidDuration(String),
    /// Something that is not kept here. AWS: InvalidInput.
    #[error("Tidegate keeps no {0} of users, roles and policies")]
    Unkept(&'static str),
    /// AWS: AccessDenied.
    #[error("Roles may not be assumed by root accounts.")]
    RootAssumes,
    /// AWS: AccessDenied.
    #[error("Cannot call GetSessionToken with session credentials")]
    SessionAsksSession,
    /// AWS: ValidationError, of AssumeRole. The text is what was sent.
    #[error("{0} is invalid")]
    InvalidRoleArn(String),
}

fn malformed_policy(error: &MalformedPolicy) -> String {
    match error {
        MalformedPolicy::Json(_) => format!("Syntax errors in policy: {error}."),
        MalformedPolicy::TooLarge { .. } | MalformedPolicy::Structure { .. } => format!("{error}."),
    }
}
