//! What is served: the services Tidegate knows, and the operations of each that have a handler in `crates/api`.

/// A service of AWS.
pub(crate) struct Service {
    /// Folder in `tests/data/aws`, botocore's name.
    pub(crate) model: &'static str,
    /// Names of the service in a SigV4 credential scope.
    pub(crate) scopes: &'static [&'static str],
    /// Operations with a handler `api::<service>::<operation>`.
    pub(crate) served: &'static [&'static str],
    /// Enumerations that a lower crate already has, under the words of the model.
    pub(crate) types: &'static [(&'static str, &'static str)],
}

impl Service {
    /// Name of the Rust module.
    pub(crate) fn module(&self) -> String {
        self.model.replace('-', "_")
    }
}

/// All services. AWS: clients sign the data plane as `iotdata`, the HTTPS documentation as `iotdevicegateway`. Older models
/// had `iot` signed as `execute-api`: Debian's aws-cli 2.9.19 does so.
pub(crate) const SERVICES: &[Service] = &[
    Service {
        model: "iot",
        scopes: &["iot", "execute-api"],
        served: &[
            "AcceptCertificateTransfer",
            "AddThingToThingGroup",
            "AttachPolicy",
            "AttachPrincipalPolicy",
            "AttachThingPrincipal",
            "CancelCertificateTransfer",
            "CreateCertificateFromCsr",
            "CreateKeysAndCertificate",
            "CreatePolicy",
            "CreatePolicyVersion",
            "CreateThing",
            "CreateThingGroup",
            "CreateThingType",
            "DeleteCACertificate",
            "DeleteCertificate",
            "DeletePolicy",
            "DeletePolicyVersion",
            "DeleteRegistrationCode",
            "DeleteThing",
            "DeleteThingGroup",
            "DeleteThingType",
            "DeprecateThingType",
            "DescribeCACertificate",
            "DescribeCertificate",
            "DescribeEndpoint",
            "DescribeThing",
            "DescribeThingGroup",
            "DescribeThingType",
            "DetachPolicy",
            "DetachPrincipalPolicy",
            "DetachThingPrincipal",
            "GetEffectivePolicies",
            "GetPolicy",
            "GetPolicyVersion",
            "GetRegistrationCode",
            "ListAttachedPolicies",
            "ListCACertificates",
            "ListCertificates",
            "ListCertificatesByCA",
            "ListOutgoingCertificates",
            "ListPolicies",
            "ListPolicyPrincipals",
            "ListPolicyVersions",
            "ListPrincipalPolicies",
            "ListPrincipalThings",
            "ListPrincipalThingsV2",
            "ListTagsForResource",
            "ListTargetsForPolicy",
            "ListThingGroups",
            "ListThingGroupsForThing",
            "ListThingPrincipals",
            "ListThingPrincipalsV2",
            "ListThingTypes",
            "ListThings",
            "ListThingsInThingGroup",
            "RegisterCACertificate",
            "RegisterCertificate",
            "RegisterCertificateWithoutCA",
            "RejectCertificateTransfer",
            "RemoveThingFromThingGroup",
            "SetDefaultPolicyVersion",
            "TagResource",
            "TestAuthorization",
            "TransferCertificate",
            "UntagResource",
            "UpdateCACertificate",
            "UpdateCertificate",
            "UpdateThing",
            "UpdateThingGroup",
            "UpdateThingType",
            "UpdateThingGroupsForThing",
        ],
        types: &[
            ("AutoRegistrationStatus", "tidegate_registry::AutoRegistrationStatus"),
            ("CACertificateStatus", "tidegate_registry::CaStatus"),
            ("CertificateMode", "tidegate_registry::CertificateMode"),
            ("CertificateStatus", "tidegate_registry::CertificateStatus"),
            ("ThingPrincipalType", "tidegate_registry::ThingPrincipalType"),
        ],
    },
    Service {
        model: "iot-data",
        scopes: &["iotdata", "iotdevicegateway", "iot-data"],
        served: &[
            "DeleteConnection",
            "DeleteThingShadow",
            "GetRetainedMessage",
            "GetThingShadow",
            "ListNamedShadowsForThing",
            "ListRetainedMessages",
            "ListSubscriptions",
            "Publish",
            "UpdateThingShadow",
        ],
        types: &[],
    },
    Service { model: "iot-jobs-data", scopes: &["iot-jobs-data"], served: &[], types: &[] },
    Service { model: "sts", scopes: &["sts"], served: &["GetCallerIdentity"], types: &[] },
    Service { model: "acm", scopes: &["acm"], served: &[], types: &[] },
    Service { model: "acm-pca", scopes: &["acm-pca"], served: &[], types: &[] },
    Service { model: "iam", scopes: &["iam"], served: &[], types: &[] },
    Service { model: "logs", scopes: &["logs"], served: &[], types: &[] },
];
