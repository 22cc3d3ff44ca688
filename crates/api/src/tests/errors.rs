//! Error names and statuses held against the service model.

use serde_json::Value;
use tidegate_kv::StoreError;
use tidegate_registry::{CertificateProblem, CertificateStatus, RegistryError, ResourceId, StatusChangeRefused};

use crate::error::aws;

const MODEL: &str = include_str!("../../../../tests/data/aws/iot/service-2.json");

/// Every failure of an operation of `iot`, with the operations that can end so.
fn failures() -> Vec<(RegistryError, &'static [&'static str])> {
    use RegistryError::*;
    let tenant =
        tidegate_ids::Tenant { account: "123456789012".parse().unwrap(), region: "eu-central-1".parse().unwrap() };
    let certificate: tidegate_ids::CertificateId = "ab".repeat(32).parse().unwrap();
    let ca: tidegate_ids::CaCertificateId = "cd".repeat(32).parse().unwrap();
    let policy: tidegate_ids::PolicyName = "p".parse().unwrap();
    let refused = |why| StatusChange(certificate, why);
    let thing: tidegate_ids::ThingName = "t".parse().unwrap();
    let thing_type: tidegate_ids::ThingTypeName = "tt".parse().unwrap();
    let authorizer: tidegate_ids::AuthorizerName = "a".parse().unwrap();
    let domain: tidegate_ids::DomainConfigurationName = "d".parse().unwrap();
    let principal = tidegate_registry::ThingPrincipal::Certificate(certificate);
    vec![
        (
            ThingNotFound(thing.clone()),
            &["DescribeThing", "UpdateThing", "AttachThingPrincipal", "DetachThingPrincipal"],
        ),
        (PrincipalsOfNoThing(thing.clone()), &["ListThingPrincipals", "ListThingPrincipalsV2"]),
        (ExclusivelyAttached(tenant, principal, thing.clone()), &["AttachThingPrincipal"]),
        (AttachedToOthers(tenant, principal, thing.clone()), &["AttachThingPrincipal"]),
        (ThingsAttached(tenant, certificate), &["DeleteCertificate"]),
        (TransferPoliciesAttached(tenant, certificate), &["TransferCertificate"]),
        (TransferThingsAttached(tenant, certificate), &["TransferCertificate"]),
        (
            ThingTypeNotFound(thing_type.clone()),
            &[
                "CreateThing",
                "UpdateThing",
                "DescribeThingType",
                "UpdateThingType",
                "DeprecateThingType",
                "DeleteThingType",
            ],
        ),
        (
            AuthorizerNotFound(authorizer.clone()),
            &[
                "DescribeAuthorizer",
                "UpdateAuthorizer",
                "DeleteAuthorizer",
                "SetDefaultAuthorizer",
                "TestInvokeAuthorizer",
            ],
        ),
        (NoDefaultAuthorizer, &["DescribeDefaultAuthorizer", "ClearDefaultAuthorizer"]),
        (AuthorizerExists(tenant, authorizer.clone()), &["CreateAuthorizer"]),
        (DefaultAuthorizerExists(tenant, authorizer.clone()), &["SetDefaultAuthorizer"]),
        (AuthorizerIsDefault(authorizer.clone()), &["DeleteAuthorizer"]),
        (AuthorizerActive(authorizer), &["DeleteAuthorizer"]),
        (TooManyAuthorizers(100), &["CreateAuthorizer"]),
        (TooManyActiveAuthorizers(32), &["CreateAuthorizer", "UpdateAuthorizer"]),
        (
            DomainConfigurationNotFound(domain.clone()),
            &["DescribeDomainConfiguration", "UpdateDomainConfiguration", "DeleteDomainConfiguration"],
        ),
        (DomainConfigurationExists(tenant, domain.clone()), &["CreateDomainConfiguration"]),
        (DomainConfigurationEnabled(domain), &["DeleteDomainConfiguration"]),
        (TooManyDomainConfigurations(10), &["CreateDomainConfiguration"]),
        (CertificateInvalid(CertificateProblem::OutsideValidity), &["CreateDomainConfiguration"]),
        (BillingGroupNotFound("g".into()), &["CreateThing"]),
        (ThingExists(tenant, thing.clone()), &["CreateThing"]),
        (ThingTypeExists(tenant, thing_type.clone()), &["CreateThingType"]),
        (ThingTypeNotDeprecated(thing_type.clone()), &["DeleteThingType"]),
        (ThingTypeDeprecatedLately(thing_type.clone()), &["DeleteThingType"]),
        (ThingTypeHasThings(thing_type.clone()), &["DeleteThingType"]),
        (ThingTypePropertiesFixed, &["UpdateThingType"]),
        (NewThingTypeDeprecated(thing_type.clone()), &["CreateThing"]),
        (ThingTypeDeprecated(thing_type), &["UpdateThing"]),
        (ThingVersionConflict(thing.clone()), &["UpdateThing", "DeleteThing"]),
        (ThingAttached(thing), &["DeleteThing"]),
        (
            CertificateNotFound(certificate),
            &[
                "DescribeCertificate",
                "UpdateCertificate",
                "DeleteCertificate",
                "AttachPolicy",
                "AttachThingPrincipal",
                "ListPrincipalThings",
            ],
        ),
        (CaCertificateNotFound(ca), &["DescribeCACertificate", "UpdateCACertificate", "DeleteCACertificate"]),
        (
            PolicyNotFound(policy.clone()),
            &[
                "GetPolicy",
                "DeletePolicy",
                "CreatePolicyVersion",
                "GetPolicyVersion",
                "ListPolicyVersions",
                "DeletePolicyVersion",
                "SetDefaultPolicyVersion",
                "AttachPolicy",
                "AttachPrincipalPolicy",
                "DetachPrincipalPolicy",
                "ListTargetsForPolicy",
                "ListPolicyPrincipals",
                "TagResource",
                "UntagResource",
                "ListTagsForResource",
            ],
        ),
        (
            PolicyVersionNotFound { name: policy.clone(), version: "2".parse().unwrap() },
            &["GetPolicyVersion", "DeletePolicyVersion", "SetDefaultPolicyVersion"],
        ),
        (RegistrationCodeNotFound, &["DeleteRegistrationCode"]),
        (CertificateExists(tenant, certificate), &["RegisterCertificate", "RegisterCertificateWithoutCA"]),
        (CaCertificateExists(tenant, ca), &["RegisterCACertificate"]),
        (PolicyExists(tenant, policy.clone()), &["CreatePolicy"]),
        (CaCertificateNotAcceptable, &["RegisterCACertificate"]),
        (CertificateNotAcceptable, &["RegisterCertificate", "RegisterCertificateWithoutCA"]),
        (TooManyCasOfOneSubject, &["RegisterCACertificate"]),
        (RegistrationCodeMismatch, &["RegisterCACertificate"]),
        (
            CertificateInvalid(CertificateProblem::NotSignedByCa),
            &["RegisterCACertificate", "RegisterCertificate", "RegisterCertificateWithoutCA"],
        ),
        (CaNotRegistered, &["RegisterCertificate"]),
        (CaInactive(ca), &["RegisterCertificate"]),
        (CaAmbiguous, &["RegisterCertificate"]),
        (CsrInvalid("it is empty".into()), &["CreateCertificateFromCsr"]),
        (
            StatusNotRegistrable(CertificateStatus::PendingActivation),
            &["RegisterCertificate", "RegisterCertificateWithoutCA"],
        ),
        (refused(StatusChangeRefused::ServiceOnly(CertificateStatus::PendingTransfer)), &["UpdateCertificate"]),
        (refused(StatusChangeRefused::RevokedIsFinal), &["UpdateCertificate"]),
        (refused(StatusChangeRefused::InTransfer), &["UpdateCertificate"]),
        (refused(StatusChangeRefused::Deprecated), &["UpdateCertificate"]),
        (CertificateActive(certificate), &["DeleteCertificate"]),
        (CertificateInTransfer(certificate), &["DeleteCertificate"]),
        (CaCertificateActive(ca), &["DeleteCACertificate"]),
        (PoliciesAttached(tenant, certificate), &["DeleteCertificate"]),
        (PolicyAttached(policy.clone()), &["DeletePolicy"]),
        (PolicyHasVersions(policy.clone()), &["DeletePolicy"]),
        (DefaultPolicyVersion, &["DeletePolicyVersion"]),
        (TooManyVersions(policy.clone()), &["CreatePolicyVersion"]),
        (TooManyPolicies(10), &["AttachPolicy", "AttachPrincipalPolicy"]),
        (
            ThingGroupNotFound("g".parse().unwrap()),
            &[
                "DescribeThingGroup",
                "UpdateThingGroup",
                "ListThingGroups",
                "TagResource",
                "ListTagsForResource",
                "AddThingToThingGroup",
                "RemoveThingFromThingGroup",
                "UpdateThingGroupsForThing",
                "ListThingsInThingGroup",
                "AttachPolicy",
            ],
        ),
        (ParentThingGroupNotFound("g".parse().unwrap()), &["CreateThingGroup"]),
        (ThingGroupExists(tenant, "g".parse().unwrap(), ResourceId::from_random([1; 16])), &["CreateThingGroup"]),
        (ThingGroupVersionConflict("g".parse().unwrap()), &["UpdateThingGroup", "DeleteThingGroup"]),
        (ThingGroupHasChildren("g".parse().unwrap()), &["DeleteThingGroup"]),
        (ThingGroupTooDeep("g".parse().unwrap()), &["CreateThingGroup"]),
        (TooManyChildThingGroups("g".parse().unwrap()), &["CreateThingGroup"]),
        (TooManyGroupsOfThing("t".parse().unwrap()), &["AddThingToThingGroup", "UpdateThingGroupsForThing"]),
        (
            ThingInHierarchy("t".parse().unwrap(), "g".parse().unwrap()),
            &["AddThingToThingGroup", "UpdateThingGroupsForThing"],
        ),
        (TooManyTags, &["TagResource"]),
        (MalformedPolicy("it is empty".into()), &["CreatePolicy", "CreatePolicyVersion"]),
        (
            InvalidRequest("a rule".into()),
            &[
                "RegisterCACertificate",
                "UpdateCACertificate",
                "CreatePolicy",
                "AttachPolicy",
                "ListPrincipalPolicies",
                "TagResource",
            ],
        ),
        (
            InvalidMarker,
            &[
                "ListCertificates",
                "ListCertificatesByCA",
                "ListCACertificates",
                "ListPolicies",
                "ListAttachedPolicies",
                "ListTargetsForPolicy",
                "ListPolicyPrincipals",
                "ListPrincipalPolicies",
                "ListTagsForResource",
                "ListThingGroups",
            ],
        ),
        (Contended, &["RegisterCACertificate", "UpdateCertificate", "AttachPolicy", "DeleteRegistrationCode"]),
        (Store(Box::new(newer())), &["GetRegistrationCode", "ListCertificates"]),
        (Store(Box::new(full())), &["RegisterCACertificate", "UpdateCertificate", "AttachPolicy"]),
        (Internal(Box::new(newer())), &["CreateKeysAndCertificate"]),
    ]
}

/// What went wrong inside.
fn newer() -> StoreError {
    StoreError::NewerFormat { found: 2, known: 1 }
}

fn full() -> StoreError {
    StoreError::Full { path: "/var/lib/tidegate".into(), free_bytes: 1, bytes_min: 2 }
}

#[test]
fn a_nearly_full_disk_is_told_without_its_path() {
    let error = crate::ApiError::from(RegistryError::Store(Box::new(full())));
    assert_eq!((&*error.name, error.status), ("ServiceUnavailableException", 503));
    assert!(error.message.contains("disk is nearly full") && !error.message.contains("/var"), "{error:?}");
}

#[test]
fn every_error_is_in_the_model_of_its_operation() {
    let model: Value = serde_json::from_str(MODEL).unwrap();
    for (error, operations) in failures() {
        let (name, status) = aws(&error);
        let modelled = &model["shapes"][name]["error"]["httpStatusCode"];
        assert_eq!(modelled, status, "{name}");
        for operation in operations {
            let errors = model["operations"][operation]["errors"].as_array().unwrap();
            assert!(errors.iter().any(|e| e["shape"] == name), "{operation} does not declare {name}");
        }
    }
}

#[test]
fn what_an_unserved_operation_answers_is_in_its_model() {
    for service in crate::generated::routes::SERVICES {
        let path = format!("{}/../../tests/data/aws/{}/service-2.json", env!("CARGO_MANIFEST_DIR"), service.name);
        let model: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for operation in service.operations.iter().filter(|o| o.refusal.status != 501) {
            let errors = model["operations"][operation.name]["errors"].as_array().unwrap();
            let found = errors.iter().find_map(|e| {
                let shape = e["shape"].as_str()?;
                let error = &model["shapes"][shape]["error"];
                let name = error["code"].as_str().unwrap_or(shape);
                (name == operation.refusal.name).then(|| error["httpStatusCode"].as_u64().unwrap_or(400))
            });
            assert_eq!(found, Some(operation.refusal.status.into()), "{} {}", service.name, operation.name);
        }
    }
}

#[test]
fn causes_are_never_sent() {
    for error in [RegistryError::Store(Box::new(newer())), RegistryError::Internal(Box::new(newer()))] {
        let message = crate::ApiError::from(error).message;
        assert!(!message.contains("format"), "{message}");
    }
}
