//! Between the registry's types and the wire's, where several operations share them.

use tidegate_ids::{Arn, PolicyName, Resource, Tenant, ThingGroupName, ThingName};
use tidegate_registry::{
    AttributePayload, Authorizer, CertificateSummary, PolicyVersionId, PropagatingAttribute, RegistrationConfig, Tag,
    ThingTypeProperties, ThingTypeRecord,
};

use crate::{ApiError, generated::iot::shapes};

pub(super) fn certificates(tenant: Tenant, found: Vec<CertificateSummary>) -> Vec<shapes::Certificate> {
    let wire = |c: CertificateSummary| shapes::Certificate {
        certificate_arn: Some(Arn::certificate(tenant, c.certificate_id).to_string()),
        certificate_id: Some(c.certificate_id.to_string()),
        status: Some(c.status),
        certificate_mode: Some(c.mode),
        creation_date: Some(c.created.into()),
    };
    found.into_iter().map(wire).collect()
}

pub(super) fn policies(tenant: Tenant, found: Vec<PolicyName>) -> Vec<shapes::Policy> {
    let wire = |name: PolicyName| shapes::Policy {
        policy_arn: Some(Arn::policy(tenant, &name).to_string()),
        policy_name: Some(name.to_string()),
    };
    found.into_iter().map(wire).collect()
}

/// Digits, by the model; those that number no version are refused here.
pub(super) fn version(text: &str) -> Result<PolicyVersionId, ApiError> {
    text.parse::<PolicyVersionId>().map_err(|error| ApiError::invalid_request(error.to_string()))
}

pub(super) fn registration_config(config: shapes::RegistrationConfig) -> RegistrationConfig {
    let shapes::RegistrationConfig { role_arn, template_body, template_name } = config;
    RegistrationConfig { template_body, role_arn, template_name }
}

pub(super) fn registration_config_out(config: RegistrationConfig) -> shapes::RegistrationConfig {
    let RegistrationConfig { template_body, role_arn, template_name } = config;
    shapes::RegistrationConfig { role_arn, template_body, template_name }
}

/// The model demands a key; a tag may have no value.
pub(super) fn tags(tags: Option<Vec<shapes::Tag>>) -> Vec<Tag> {
    let own = |tag: shapes::Tag| Tag { key: tag.key.unwrap_or_default(), value: tag.value.unwrap_or_default() };
    tags.into_iter().flatten().map(own).collect()
}

pub(super) fn tags_out(tags: Vec<Tag>) -> Vec<shapes::Tag> {
    tags.into_iter().map(|tag| shapes::Tag { key: Some(tag.key), value: Some(tag.value) }).collect()
}

pub(super) fn authorizer_description(authorizer: Authorizer) -> shapes::AuthorizerDescription {
    let (arn, record) = (authorizer.arn().to_string(), authorizer.record);
    shapes::AuthorizerDescription {
        authorizer_arn: Some(arn),
        authorizer_function_arn: Some(record.function_arn),
        authorizer_name: Some(authorizer.name.to_string()),
        creation_date: Some(record.created.into()),
        enable_caching_for_http: Some(record.enable_caching_for_http),
        last_modified_date: Some(record.modified.into()),
        signing_disabled: Some(record.signing_disabled),
        status: Some(record.status),
        token_key_name: record.token_key_name,
        token_signing_public_keys: Some(record.token_signing_public_keys),
    }
}

/// No payload leaves all attributes as they are.
pub(super) fn attribute_payload(payload: Option<shapes::AttributePayload>) -> AttributePayload {
    let Some(shapes::AttributePayload { attributes, merge }) = payload else { return AttributePayload::default() };
    AttributePayload { attributes, merge: merge.unwrap_or(false) }
}

pub(super) fn thing_groups(tenant: Tenant, found: Vec<ThingGroupName>) -> Vec<shapes::GroupNameAndArn> {
    let wire = |name: ThingGroupName| shapes::GroupNameAndArn {
        group_arn: Some(Arn::thing_group(tenant, &name).to_string()),
        group_name: Some(name.to_string()),
    };
    found.into_iter().map(wire).collect()
}

/// No properties are empty ones.
pub(super) fn thing_type_properties(properties: Option<shapes::ThingTypeProperties>) -> ThingTypeProperties {
    let shapes::ThingTypeProperties { mqtt5_configuration, searchable_attributes, thing_type_description } =
        properties.unwrap_or_default();
    let own = |attribute: shapes::PropagatingAttribute| PropagatingAttribute {
        user_property_key: attribute.user_property_key,
        thing_attribute: attribute.thing_attribute,
        connection_attribute: attribute.connection_attribute,
    };
    ThingTypeProperties {
        description: thing_type_description,
        searchable_attributes: searchable_attributes.unwrap_or_default(),
        propagating_attributes: mqtt5_configuration
            .map(|configuration| configuration.propagating_attributes.into_iter().flatten().map(own).collect()),
    }
}

pub(super) fn thing_type_properties_out(properties: ThingTypeProperties) -> shapes::ThingTypeProperties {
    let wire = |attribute: PropagatingAttribute| shapes::PropagatingAttribute {
        user_property_key: attribute.user_property_key,
        thing_attribute: attribute.thing_attribute,
        connection_attribute: attribute.connection_attribute,
    };
    shapes::ThingTypeProperties {
        mqtt5_configuration: properties.propagating_attributes.map(|attributes| shapes::Mqtt5Configuration {
            propagating_attributes: Some(attributes.into_iter().map(wire).collect()),
        }),
        searchable_attributes: Some(properties.searchable_attributes),
        thing_type_description: properties.description,
    }
}

pub(super) fn thing_type_metadata(record: &ThingTypeRecord) -> shapes::ThingTypeMetadata {
    shapes::ThingTypeMetadata {
        creation_date: Some(record.created.into()),
        deprecated: Some(record.deprecated.is_some()),
        deprecation_date: record.deprecated.map(Into::into),
    }
}

/// The thing that a request names, by name or ARN or both.
pub(super) fn thing_of(tenant: Tenant, name: Option<ThingName>, arn: Option<String>) -> Result<ThingName, ApiError> {
    named(tenant, ("thingName", name), ("thingArn", arn), |resource| match resource {
        Resource::Thing(name) => Some(name),
        _ => None,
    })
}

/// The thing group that a request names, by name or ARN or both.
pub(super) fn thing_group_of(
    tenant: Tenant,
    name: Option<ThingGroupName>,
    arn: Option<String>,
) -> Result<ThingGroupName, ApiError> {
    named(tenant, ("thingGroupName", name), ("thingGroupArn", arn), |resource| match resource {
        Resource::ThingGroup(name) => Some(name),
        _ => None,
    })
}

/// Unverified: which error AWS has for an ARN of another account or of another kind, and for two that disagree.
fn named<T: PartialEq>(
    tenant: Tenant,
    (by_name, name): (&str, Option<T>),
    (by_arn, arn): (&str, Option<String>),
    of_kind: impl FnOnce(Resource) -> Option<T>,
) -> Result<T, ApiError> {
    let Some(arn) = arn else {
        return name.ok_or_else(|| ApiError::invalid_request(format!("{by_name} or {by_arn} is required")));
    };
    let arn: Arn = arn.parse().map_err(|error| ApiError::invalid_request(format!("Invalid {by_arn}: {error}")))?;
    let own = arn.iot_resource().filter(|_| arn.tenant() == Some(tenant));
    let Some(named) = own.and_then(of_kind) else {
        let text = format!("Invalid {by_arn}: it is of another kind, account or region");
        return Err(ApiError::invalid_request(text));
    };
    if name.is_some_and(|name| name != named) {
        return Err(ApiError::invalid_request(format!("{by_name} and {by_arn} disagree: one is enough")));
    }
    Ok(named)
}
