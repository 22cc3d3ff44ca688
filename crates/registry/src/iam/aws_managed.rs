//! Policies that AWS gives everybody. AWS: managed policy reference, the documents of these.

use tidegate_ids::Timestamp;

use super::ManagedPolicy;

/// One of AWS's own policies.
#[derive(Debug)]
pub(crate) struct AwsManagedPolicy {
    name: &'static str,
    arn: &'static str,
    version: &'static str,
    description: &'static str,
    /// Seconds since 1970.
    created: u64,
    updated: u64,
    pub(crate) document: &'static str,
}

impl AwsManagedPolicy {
    pub(super) fn shown(&self) -> ManagedPolicy {
        let seconds = Timestamp::from_seconds;
        ManagedPolicy {
            arn: self.arn.into(),
            name: self.name.into(),
            path: "/".into(),
            // Unverified: AWS's ids; ours are made of the name.
            id: id(self.name),
            created: seconds(self.created),
            updated: seconds(self.updated),
            description: Some(self.description.into()),
            version: self.version.into(),
            document: self.document.into(),
            attachments: 0,
        }
    }
}

fn id(name: &str) -> String {
    let letters = tidegate_pki::sha256(name.as_bytes()).map(|byte| char::from(b'A' + byte % 26));
    "ANPA".chars().chain(letters.into_iter().take(17)).collect()
}

static POLICIES: [AwsManagedPolicy; 4] = [
    AwsManagedPolicy {
        name: "AdministratorAccess",
        arn: "arn:aws:iam::aws:policy/AdministratorAccess",
        version: "v1",
        description: "Provides full access to AWS services and resources.",
        created: 1_423_161_606,
        updated: 1_423_161_606,
        document: include_str!("aws/AdministratorAccess.json"),
    },
    AwsManagedPolicy {
        name: "AWSIoTConfigReadOnlyAccess",
        arn: "arn:aws:iam::aws:policy/AWSIoTConfigReadOnlyAccess",
        version: "v8",
        description: "This policy gives read only access to the AWS IoT configuration actions",
        created: 1_445_982_752,
        updated: 1_569_617_560,
        document: include_str!("aws/AWSIoTConfigReadOnlyAccess.json"),
    },
    AwsManagedPolicy {
        name: "AWSIoTDataAccess",
        arn: "arn:aws:iam::aws:policy/AWSIoTDataAccess",
        version: "v3",
        description: "This policy gives full access to the AWS IoT messaging actions",
        created: 1_445_982_698,
        updated: 1_624_484_087,
        document: include_str!("aws/AWSIoTDataAccess.json"),
    },
    AwsManagedPolicy {
        name: "AWSIoTFullAccess",
        arn: "arn:aws:iam::aws:policy/AWSIoTFullAccess",
        version: "v2",
        description: "This policy gives full access to the AWS IoT configuration and messaging actions",
        created: 1_444_305_006,
        updated: 1_652_996_351,
        document: include_str!("aws/AWSIoTFullAccess.json"),
    },
];

/// All that are known here.
pub(crate) fn aws_managed_policies() -> &'static [AwsManagedPolicy] {
    &POLICIES
}

/// The one with this ARN.
pub(crate) fn aws_managed(arn: &str) -> Option<&'static AwsManagedPolicy> {
    POLICIES.iter().find(|policy| policy.arn == arn)
}

#[cfg(test)]
mod tests {
    use tidegate_policy::Document;

    use super::*;

    #[test]
    fn their_documents_are_policies() {
        for policy in aws_managed_policies() {
            assert!(policy.arn.ends_with(policy.name));
            Document::parse_identity(policy.document, 6144).unwrap_or_else(|error| panic!("{}: {error}", policy.name));
        }
    }
}
