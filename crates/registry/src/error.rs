//! Why an operation did not happen.

use tidegate_ids::{
    AccessKeyId, AccountId, AuthorizerName, CaCertificateId, CertificateId, DomainConfigurationName, PolicyName,
    Tenant, ThingGroupName, ThingName, ThingTypeName,
};
use tidegate_kv::{CommitError, StoreError};

use crate::{CertificateStatus, IamError, PolicyVersionId, ResourceId, StatusChangeRefused, ThingPrincipal};

/// Why an operation did not happen. The text is for the caller: what is wrong and what to do about it.
///
/// Where AWS's own text is known (`facts/aws-answers.md`, 4.2), it comes first. AWS's error names are `api`'s.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    // What is not there.
    /// This account has no such device certificate.
    #[error("Certificate {0} was not found in this account and region: see list-certificates")]
    CertificateNotFound(CertificateId),
    /// This account has no such CA certificate.
    #[error("CA certificate {0} was not found in this account and region: see list-ca-certificates")]
    CaCertificateNotFound(CaCertificateId),
    /// This account has no such policy.
    #[error("Policy {0} was not found in this account and region: see list-policies")]
    PolicyNotFound(PolicyName),
    /// This account has no such thing.
    #[error("Thing {0} was not found in this account and region: see list-things")]
    ThingNotFound(ThingName),
    /// As [`Self::ThingNotFound`], of ListThingPrincipals.
    #[error("Failed to list principals for thing {0} because the thing does not exist in your account")]
    PrincipalsOfNoThing(ThingName),
    /// This account has no such thing type.
    #[error("Thing type {0} was not found in this account and region: see list-thing-types")]
    ThingTypeNotFound(ThingTypeName),
    /// This account has no such thing group.
    #[error("Thing group {0} was not found in this account and region: see list-thing-groups")]
    ThingGroupNotFound(ThingGroupName),
    /// This account has no such authorizer.
    #[error("Authorizer {0} was not found in this account and region: see list-authorizers")]
    AuthorizerNotFound(AuthorizerName),
    /// This account has no such domain configuration.
    #[error("Domain configuration {0} was not found in this account and region: see list-domain-configurations")]
    DomainConfigurationNotFound(DomainConfigurationName),
    /// The account has no default authorizer.
    #[error("This account and region has no default authorizer: set-default-authorizer sets one")]
    NoDefaultAuthorizer,
    /// As [`Self::ThingGroupNotFound`], of CreateThingGroup, which declares no such error. AWS: InvalidRequestException.
    /// Unverified: the sentence.
    #[error("Parent thing group {0} was not found in this account and region: see list-thing-groups")]
    ParentThingGroupNotFound(ThingGroupName),
    /// Billing groups are not kept.
    #[error("Billing group {0} was not found in this account and region")]
    BillingGroupNotFound(String),
    /// The policy has no such version.
    #[error("Policy {name} has no version {version}: see list-policy-versions")]
    PolicyVersionNotFound {
        /// The policy.
        name: PolicyName,
        /// What was asked for.
        version: PolicyVersionId,
    },
    /// No code was handed out since the last one was deleted.
    #[error("This account and region has no registration code: get-registration-code makes one")]
    RegistrationCodeNotFound,
    /// There is no such account.
    #[error("account {0} does not exist: see `tidegate account list`")]
    AccountNotFound(AccountId),
    /// There is no such access key.
    #[error("access key {0} does not exist: see `tidegate key list`")]
    AccessKeyNotFound(AccessKeyId),

    /// An operation of IAM or STS.
    #[error(transparent)]
    Iam(#[from] IamError),

    /// No transfer of this certificate waits for this account. AWS: ResourceNotFoundException. Unverified for the giver.
    #[error("No transfer of certificate {0} is pending for this account and region")]
    TransferNotFound(CertificateId),

    // What is there already.
    /// This account has the certificate. AWS: ResourceAlreadyExistsException with `resourceId` and `resourceArn`.
    #[error("The certificate is already provisioned or registered")]
    CertificateExists(Tenant, CertificateId),
    /// This account has the CA certificate. AWS: as above.
    #[error("CA certificate {1} is already registered in this account and region")]
    CaCertificateExists(Tenant, CaCertificateId),
    /// This account has a policy of this name. AWS: as above.
    #[error("Policy cannot be created - name already exists (name={1})")]
    PolicyExists(Tenant, PolicyName),
    /// This account has a thing of this name with another type or other attributes. AWS: as above.
    #[error("Thing {1} already exists in account with different attributes")]
    ThingExists(Tenant, ThingName),
    /// This account has a thing group of this name with another parent, description or other attributes. AWS: as above.
    #[error("Thing group {1} already exists in account with a different parent or different properties")]
    ThingGroupExists(Tenant, ThingGroupName, ResourceId),
    /// This account has a thing type of this name with other properties. AWS: as above. Unverified: the sentence.
    #[error("Thing type {1} already exists in account with different properties")]
    ThingTypeExists(Tenant, ThingTypeName),
    /// This account has an authorizer of this name. AWS: as above.
    #[error("Authorizer {1} already exists in this account and region")]
    AuthorizerExists(Tenant, AuthorizerName),
    /// This account has a domain configuration of this name, or one with the same domain name. AWS: as above.
    #[error("Domain configuration {1} already exists in this account and region, or has the domain name already")]
    DomainConfigurationExists(Tenant, DomainConfigurationName),
    /// Another authorizer is the default. AWS: as above. Unverified.
    #[error("Authorizer {1} is the default authorizer already: clear-default-authorizer first")]
    DefaultAuthorizerExists(Tenant, AuthorizerName),
    /// The account number is taken.
    #[error("account {0} exists already: choose another number, or leave it out to get a free one")]
    AccountExists(AccountId),

    // Certificates that cannot be taken.
    /// Another account of the region holds this CA in DEFAULT mode. AWS: InvalidRequestException.
    #[error("Cannot accept this CACertificate")]
    CaCertificateNotAcceptable,
    /// Another account of the region holds this certificate in DEFAULT mode. AWS: InvalidRequestException.
    #[error("This request is not valid")]
    CertificateNotAcceptable,
    /// More than [`crate::SAME_SUBJECT_CAS_MAX`] CAs with one subject. AWS: LimitExceededException.
    #[error("Limit reached for number of CA Certificates with same subject")]
    TooManyCasOfOneSubject,
    /// The verification certificate does not carry this account's code. AWS: RegistrationCodeValidationException.
    #[error(
        "The common name of the verification certificate is not the registration code of this account and region: \
         use the answer of get-registration-code as its CN"
    )]
    RegistrationCodeMismatch,
    /// A certificate that was sent is unfit. AWS: CertificateValidationException.
    #[error("{0}")]
    CertificateInvalid(CertificateProblem),
    /// No CA of this account signed it. AWS: CertificateStateException.
    #[error("No CA certificate exists for the given certificate")]
    CaNotRegistered,
    /// The CA that signed it is INACTIVE. AWS: CertificateStateException.
    #[error(
        "CA certificate {0} is INACTIVE and registers nothing: \
         aws iot update-ca-certificate --certificate-id {0} --new-status ACTIVE"
    )]
    CaInactive(CaCertificateId),
    /// Several registered CAs have the issuer's name. AWS: CertificateConflictException.
    #[error("Several registered CA certificates have this issuer's subject: say which one with caCertificatePem")]
    CaAmbiguous,
    /// The certificate signing request is unfit. AWS: InvalidRequestException.
    #[error("The certificate signing request is not valid: {0}")]
    CsrInvalid(String),

    // States.
    /// A status that a certificate cannot be registered with. AWS: CertificateStateException.
    #[error("Not allowed to register certificate with {0} status")]
    StatusNotRegistrable(CertificateStatus),
    /// See [`CertificateStatus::update`]. AWS: CertificateStateException; InvalidRequestException for `Deprecated`.
    #[error("Certificate {0}: {1}")]
    StatusChange(CertificateId, #[source] StatusChangeRefused),
    /// AWS: CertificateStateException.
    #[error("Certificate must be deactivated (not ACTIVE) before deletion. Id: {0}")]
    CertificateActive(CertificateId),
    /// AWS: CertificateStateException. Unverified.
    #[error("Certificate must not be PENDING_TRANSFER for deletion. Id: {0}")]
    CertificateInTransfer(CertificateId),
    /// AWS: CertificateStateException.
    #[error("CA certificate must be deactivated (not ACTIVE) before deletion. Id: {0}")]
    CaCertificateActive(CaCertificateId),

    /// Only an INACTIVE certificate is transferred. AWS: CertificateStateException. Unverified for all but ACTIVE.
    #[error("Certificate must be INACTIVE to be transferred, and is {1}. Id: {0}")]
    CertificateNotTransferable(CertificateId, CertificateStatus),
    /// The receiver has accepted the certificate. AWS: TransferAlreadyCompletedException.
    #[error("The transfer of certificate {0} is already complete: it was accepted")]
    TransferCompleted(CertificateId),
    /// Nothing is attached to a certificate on its way. AWS: InvalidRequestException. Unverified.
    #[error("Certificate {0} is PENDING_TRANSFER: accept, reject or cancel the transfer first")]
    TargetInTransfer(CertificateId),

    /// Another version of the thing is in force. AWS: VersionConflictException.
    #[error("The version for thing {0} does not match the expected version")]
    ThingVersionConflict(ThingName),
    /// Another version of the thing group is in force. AWS: VersionConflictException.
    #[error("The version for thing group {0} does not match the expected version")]
    ThingGroupVersionConflict(ThingGroupName),
    /// No new thing has a deprecated type. AWS: InvalidRequestException.
    #[error("Can not create new thing with deprecated thing type:{0}")]
    NewThingTypeDeprecated(ThingTypeName),
    /// No thing is given a deprecated type. AWS: InvalidRequestException.
    #[error("Can not update a thing to use deprecated thing type: {0}")]
    ThingTypeDeprecated(ThingTypeName),

    /// AWS: InvalidRequestException. Unverified: the second sentence.
    #[error("Cannot delete thing type : {0}. Please deprecate the thing type first")]
    ThingTypeNotDeprecated(ThingTypeName),
    /// AWS: InvalidRequestException.
    #[error("Cannot delete thing type : {0}. Please wait for 5 minutes after deprecation and then retry")]
    ThingTypeDeprecatedLately(ThingTypeName),
    /// AWS: InvalidRequestException.
    #[error("Can only update mqtt5Configuration.")]
    ThingTypePropertiesFixed,

    // What still hangs together.
    /// AWS: InvalidRequestException. Unverified: the second sentence.
    #[error("Cannot delete thing type : {0}. Things are still associated with it: see list-things")]
    ThingTypeHasThings(ThingTypeName),
    /// The principal has an exclusive thing. AWS: InvalidRequestException. Unverified: the sentence.
    #[error("Principal {arn} is attached exclusively to thing {thing}: detach it first", arn = .1.arn(*.0), thing = .2)]
    ExclusivelyAttached(Tenant, ThingPrincipal, ThingName),
    /// The principal has other things, so none can be exclusive. AWS: as above.
    #[error("Principal {arn} cannot be attached exclusively: thing {thing} has it, too", arn = .1.arn(*.0), thing = .2)]
    AttachedToOthers(Tenant, ThingPrincipal, ThingName),
    /// AWS: InvalidRequestException.
    #[error("Cannot delete. Thing {0} is still attached to one or more principals")]
    ThingAttached(ThingName),
    /// AWS: InvalidRequestException.
    #[error("Cannot delete thing group: {0} when there are still child groups attached to it")]
    ThingGroupHasChildren(ThingGroupName),
    /// AWS: TransferConflictException.
    #[error("Certificate policies must be detached before transfer (arn: {})", tidegate_ids::Arn::certificate(*.0, *.1))]
    TransferPoliciesAttached(Tenant, CertificateId),
    /// AWS: TransferConflictException.
    #[error("Things must be detached before transfer (arn: {})", tidegate_ids::Arn::certificate(*.0, *.1))]
    TransferThingsAttached(Tenant, CertificateId),
    /// The receiver has it, in this form or another, or was offered it. AWS: TransferConflictException. Unverified.
    #[error("Certificate {0} cannot be transferred: the target account has it already or was offered it by another")]
    TransferTargetHolds(CertificateId),
    /// AWS: DeleteConflictException.
    #[error("Certificate policies must be detached before deletion (arn: {})", tidegate_ids::Arn::certificate(*.0, *.1))]
    PoliciesAttached(Tenant, CertificateId),
    /// AWS: DeleteConflictException.
    #[error("Things must be detached before deletion (arn: {})", tidegate_ids::Arn::certificate(*.0, *.1))]
    ThingsAttached(Tenant, CertificateId),
    /// AWS: DeleteConflictException.
    #[error("The policy cannot be deleted as the policy is attached to one or more principals (name={0})")]
    PolicyAttached(PolicyName),
    /// AWS: DeleteConflictException.
    #[error("Cannot delete the policy because it has one or more policy versions attached to it (name={0})")]
    PolicyHasVersions(PolicyName),
    /// AWS: DeleteConflictException. Unverified.
    #[error("Authorizer {0} cannot be deleted because it is the default authorizer: clear-default-authorizer first")]
    AuthorizerIsDefault(AuthorizerName),
    /// AWS: DeleteConflictException. Unverified: the model also allows InvalidRequestException.
    #[error("Authorizer {0} cannot be deleted because it is ACTIVE: update-authorizer --status INACTIVE first")]
    AuthorizerActive(AuthorizerName),
    /// AWS: LimitExceededException.
    #[error("The account already has {0} authorizers: delete one first")]
    TooManyAuthorizers(usize),
    /// AWS: LimitExceededException.
    #[error("The account already has {0} ACTIVE authorizers: make one INACTIVE first")]
    TooManyActiveAuthorizers(usize),
    /// AWS: LimitExceededException.
    #[error("The account already has {0} domain configurations: delete one first")]
    TooManyDomainConfigurations(usize),
    /// AWS: InvalidRequestException. Unverified: the sentence.
    #[error(
        "Domain configuration {0} must be DISABLED before deletion: update-domain-configuration --domain-configuration-status DISABLED first"
    )]
    DomainConfigurationEnabled(DomainConfigurationName),
    /// AWS: InvalidRequestException. Unverified: the model also allows DeleteConflictException.
    #[error("Cannot delete the default version of a policy")]
    DefaultPolicyVersion,
    /// AWS: VersionsLimitExceededException.
    #[error("The policy {0} already has the maximum number of versions ({max})", max = crate::POLICY_VERSIONS_MAX)]
    TooManyVersions(PolicyName),
    /// AWS: LimitExceededException.
    #[error("Already {0} policies are attached to the target: detach one first")]
    TooManyPolicies(usize),
    /// AWS: LimitExceededException.
    #[error("A resource has at most {max} tags: untag-resource first", max = crate::TAGS_MAX)]
    TooManyTags,
    /// CreateThingGroup declares no LimitExceededException. AWS: InvalidRequestException. Unverified: the sentence.
    #[error("Thing group {0} is too deep to have children: a hierarchy has {max} levels", max = crate::THING_GROUP_DEPTH_MAX)]
    ThingGroupTooDeep(ThingGroupName),
    /// AWS: as above.
    #[error("Thing group {0} has {max} child groups already, the most", max = crate::THING_GROUP_CHILDREN_MAX)]
    TooManyChildThingGroups(ThingGroupName),
    /// UpdateThingGroupsForThing and its like declare no LimitExceededException. AWS: InvalidRequestException. Unverified: the
    /// sentence.
    #[error("Thing {0} is in {max} thing groups already, the most", max = crate::THING_GROUPS_OF_THING_MAX)]
    TooManyGroupsOfThing(ThingName),
    /// AWS: as above.
    #[error("Thing {0} is in thing group {1} already, which is in the same hierarchy")]
    ThingInHierarchy(ThingName, ThingGroupName),
    /// An account holds no more access keys than this. AWS (IAM): LimitExceeded.
    #[error("account {0} already has {max} access keys: delete one first", max = crate::ACCESS_KEYS_PER_ACCOUNT_MAX)]
    TooManyAccessKeys(AccountId),

    // Requests that cannot be understood.
    /// AWS: MalformedPolicyException.
    #[error("Policy document is Malformed: {0}")]
    MalformedPolicy(String),
    /// A member of the request breaks its rule; the text names it. AWS: InvalidRequestException.
    #[error("{0}")]
    InvalidRequest(String),
    /// A marker that this listing did not hand out. AWS: InvalidRequestException.
    #[error("The marker is not one that this listing answered to this account: leave it out to begin again")]
    InvalidMarker,

    // Ourselves.
    /// Others changed the same rows again and again meanwhile. AWS: ServiceUnavailableException.
    #[error("Others are changing the same things at this moment: try again")]
    Contended,
    /// The store failed. AWS: InternalFailureException; the cause is for the log, never for the caller.
    #[error("The store failed")]
    Store(#[source] Box<StoreError>),
    /// Making or unsealing a key failed, or a stored record contradicts itself. AWS: InternalFailureException.
    #[error("An internal error occurred")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What is wrong with a certificate that a caller sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateProblem {
    /// Not one PEM certificate, or not X.509.
    #[error("{what} cannot be read: {why}")]
    Unreadable {
        /// Which of the request's certificates.
        what: &'static str,
        /// The parser's words.
        why: String,
    },
    /// Not fit to be a CA here.
    #[error("The CA certificate cannot be registered: {0}")]
    NotACa(String),
    /// The verification certificate is needed in DEFAULT mode.
    #[error(
        "A verification certificate is required in DEFAULT mode: sign one for the registration code, or use SNI_ONLY"
    )]
    VerificationCertificateMissing,
    /// The verification certificate must be absent in SNI_ONLY mode.
    #[error("The verification certificate must be left out in SNI_ONLY mode")]
    VerificationCertificateUnexpected,
    /// The verification certificate is outside its dates.
    #[error("The verification certificate is not within its validity period")]
    VerificationCertificateExpired,
    /// The CA did not sign the verification certificate.
    #[error("The verification certificate is not signed by the CA certificate")]
    VerificationNotSignedByCa,
    /// The CA sent along did not sign the certificate.
    #[error("The certificate is not signed by the CA certificate that was sent with it")]
    NotSignedByCa,
    /// There is no server certificate of this ARN.
    #[error("The server certificate {0} was not found")]
    ServerCertificateUnknown(String),
    /// A server certificate that is not for the domain name.
    #[error("The server certificate {arn} is not for the name {domain_name}")]
    OtherName {
        /// The certificate.
        arn: String,
        /// The domain name.
        domain_name: String,
    },
    /// Outside its dates.
    #[error("The certificate is not within its validity period")]
    OutsideValidity,
    /// Key or signature algorithm that AWS does not take. AWS: developer guide, "X.509 client certificates".
    #[error("The certificate's key or signature algorithm is not supported: {0}")]
    Algorithm(String),
}

impl RegistryError {
    /// Whether nothing was written because the disk is nearly full.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Store(cause) if matches!(**cause, StoreError::Full { .. }))
    }
}

impl From<StoreError> for RegistryError {
    fn from(error: StoreError) -> Self {
        Self::Store(error.into())
    }
}

impl From<CommitError> for RegistryError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Conflict => Self::Contended,
            CommitError::Store(error) => error.into(),
        }
    }
}
