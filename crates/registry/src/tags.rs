//! Labels on resources: their bounds, and which resources carry them.

use tidegate_ids::{
    AuthorizerName, CaCertificateId, DomainConfigurationName, PolicyName, Resource, Tenant, ThingGroupName,
    ThingTypeName,
};

use crate::{RegistryError, Tag, own_resource::own_resource};

/// Most tags of a resource. AWS: developer guide, "Tag basics": 50.
pub const TAGS_MAX: usize = 50;
/// Most characters of a tag's key. AWS: `TagKey`.
const KEY_CHARS_MAX: usize = 128;
/// Most characters of a tag's value. AWS: `TagValue`.
const VALUE_CHARS_MAX: usize = 256;
/// What no key begins with, in any case. AWS: developer guide, "Tag restrictions and limitations".
const RESERVED: &str = "aws:";

/// A resource that carries tags. Certificates and things carry none.
///
/// AWS: developer guide, "Tagging your AWS IoT resources".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaggedResource {
    /// A CA certificate.
    CaCertificate(CaCertificateId),
    /// A policy.
    Policy(PolicyName),
    /// A thing group.
    ThingGroup(ThingGroupName),
    /// A thing type.
    ThingType(ThingTypeName),
    /// A custom authorizer.
    Authorizer(AuthorizerName),
    /// A domain configuration.
    DomainConfiguration(DomainConfigurationName),
}

impl TaggedResource {
    /// The resource that `text`, an ARN, names within `tenant`.
    ///
    /// Unverified: the error for another account's ARN, and for a resource without tags; we answer InvalidRequest.
    pub fn parse(tenant: Tenant, text: &str) -> Result<Self, RegistryError> {
        let invalid = |why: &str| RegistryError::InvalidRequest(format!("Invalid resourceArn: {why}"));
        match own_resource(tenant, text, invalid)? {
            Some(Resource::CaCertificate(id)) => Ok(Self::CaCertificate(id)),
            Some(Resource::Policy(name)) => Ok(Self::Policy(name)),
            Some(Resource::Certificate(_) | Resource::Thing(_)) => {
                Err(invalid("certificates and things carry no tags"))
            }
            Some(Resource::ThingGroup(name)) => Ok(Self::ThingGroup(name)),
            Some(Resource::ThingType(name)) => Ok(Self::ThingType(name)),
            Some(Resource::Authorizer(name)) => Ok(Self::Authorizer(name)),
            Some(Resource::DomainConfiguration(name)) => Ok(Self::DomainConfiguration(name)),
            None => Err(invalid(
                "tags are on CA certificates, policies, thing groups, thing types, authorizers and domain configurations",
            )),
        }
    }
}

/// Refuses tags that a resource cannot be made with.
///
/// AWS: `Tag`; the characters of keys are in the service model. No operation that creates declares LimitExceeded.
pub(crate) fn check_tags(tags: &[Tag]) -> Result<(), RegistryError> {
    let invalid = |why: String| Err(RegistryError::InvalidRequest(why));
    if tags.len() > TAGS_MAX {
        return invalid(format!("a resource has at most {TAGS_MAX} tags"));
    }
    let mut keys: Vec<&str> = tags.iter().map(|tag| &*tag.key).collect();
    keys.sort_unstable();
    if keys.windows(2).any(|pair| pair[0] == pair[1]) {
        return invalid("a tag key occurs more than once".into());
    }
    if keys.iter().any(|key| !(1..=KEY_CHARS_MAX).contains(&key.chars().count())) {
        return invalid(format!("a tag key has 1 to {KEY_CHARS_MAX} characters"));
    }
    if keys.iter().any(|key| key.get(..RESERVED.len()).is_some_and(|head| head.eq_ignore_ascii_case(RESERVED))) {
        return invalid(format!("tag keys that begin with {RESERVED} are reserved"));
    }
    if tags.iter().any(|tag| tag.value.chars().count() > VALUE_CHARS_MAX) {
        return invalid(format!("a tag value has at most {VALUE_CHARS_MAX} characters"));
    }
    Ok(())
}

/// `tags` with `new` among them: a key that is there gets its new value, the others follow in their order.
///
/// AWS: TagResource: "a tag's existing value is overwritten"; LimitExceededException beyond [`TAGS_MAX`].
pub(crate) fn tagged(tags: &[Tag], new: &[Tag]) -> Result<Vec<Tag>, RegistryError> {
    let mut all = tags.to_vec();
    for tag in new {
        match all.iter_mut().find(|other| other.key == tag.key) {
            Some(other) => other.value.clone_from(&tag.value),
            None => all.push(tag.clone()),
        }
    }
    if all.len() > TAGS_MAX { Err(RegistryError::TooManyTags) } else { Ok(all) }
}

/// `tags` without those of these keys. What is not there counts as removed.
pub(crate) fn untagged(tags: &[Tag], keys: &[String]) -> Vec<Tag> {
    let keys: std::collections::HashSet<&str> = keys.iter().map(String::as_str).collect();
    tags.iter().filter(|tag| !keys.contains(&*tag.key)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &str, value: &str) -> Tag {
        Tag { key: key.into(), value: value.into() }
    }

    fn numbered(range: std::ops::Range<usize>) -> Vec<Tag> {
        range.map(|n| tag(&format!("k{n}"), "v")).collect()
    }

    #[test]
    fn tags_keep_the_bounds() {
        for (tags, valid) in [
            (vec![], true),
            (vec![tag("k", "")], true),
            (vec![tag("k", "v"), tag("K", "v")], true), // keys are case-sensitive
            (vec![tag(&"ü".repeat(128), &"ü".repeat(256))], true),
            (numbered(0..50), true),
            (numbered(0..51), false),
            (vec![tag("k", "1"), tag("k", "2")], false),
            (vec![tag("", "v")], false),
            (vec![tag(&"k".repeat(129), "v")], false),
            (vec![tag("k", &"v".repeat(257))], false),
            (vec![tag("aws:cloudformation", "v")], false),
            (vec![tag("Aws:", "v")], false),
            (vec![tag("aws", "v"), tag("xaws:", "v"), tag("üüws:", "v")], true),
        ] {
            assert_eq!(check_tags(&tags).is_ok(), valid, "{tags:?}");
        }
    }

    #[test]
    fn tagging_overwrites_and_appends_within_the_limit() {
        let tags = [tag("a", "1"), tag("b", "1")];
        assert_eq!(
            tagged(&tags, &[tag("c", "2"), tag("a", "2")]).unwrap(),
            [tag("a", "2"), tag("b", "1"), tag("c", "2")]
        );
        let full = numbered(0..50);
        assert_eq!(tagged(&full, &[tag("k7", "other")]).unwrap().len(), 50);
        assert!(matches!(tagged(&full, &[tag("new", "")]), Err(RegistryError::TooManyTags)));
    }

    #[test]
    fn untagging_what_is_not_there_changes_nothing() {
        let tags = [tag("a", "1"), tag("b", "1")];
        assert_eq!(untagged(&tags, &["b".into(), "B".into(), "none".into(), "b".into()]), [tag("a", "1")]);
    }

    #[test]
    fn a_tagged_resource_is_one_of_the_same_account_that_carries_tags() {
        let tenant = Tenant { account: "123456789012".parse().unwrap(), region: "eu-central-1".parse().unwrap() };
        let id = "ab".repeat(32);
        for (text, valid) in [
            (format!("arn:aws:iot:eu-central-1:123456789012:cacert/{id}"), true),
            ("arn:aws:iot:eu-central-1:123456789012:policy/p".into(), true),
            ("arn:aws:iot:eu-central-1:123456789012:thinggroup/g".into(), true),
            ("arn:aws:iot:eu-central-1:123456789012:thingtype/t".into(), true),
            ("arn:aws:iot:eu-central-1:123456789012:authorizer/a".into(), true),
            ("arn:aws:iot:eu-central-1:123456789012:domainconfiguration/iot:Data-ATS".into(), true),
            ("arn:aws:iot:eu-central-1:123456789012:domainconfiguration/d".into(), false),
            ("arn:aws:iot:eu-central-1:123456789012:thing/t".into(), false),
            ("arn:aws:iot:eu-central-1:000000000000:policy/p".into(), false),
            ("arn:aws:iot:us-east-1:123456789012:policy/p".into(), false),
            (format!("arn:aws:iot:eu-central-1:123456789012:cert/{id}"), false),
            ("arn:aws:iot:eu-central-1:123456789012:policy/a b".into(), false),
            ("arn:aws:iot:eu-central-1:123456789012:rule/r".into(), false),
            ("p".into(), false),
            (String::new(), false),
        ] {
            assert_eq!(TaggedResource::parse(tenant, &text).is_ok(), valid, "{text}");
        }
    }
}
