// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! Served operations of iot.

use crate::{
    ApiError,
    call::{Call, Reply},
    iot,
};

pub(crate) mod accept_certificate_transfer;
pub(crate) mod add_thing_to_thing_group;
pub(crate) mod attach_policy;
pub(crate) mod attach_principal_policy;
pub(crate) mod attach_thing_principal;
pub(crate) mod cancel_certificate_transfer;
pub(crate) mod clear_default_authorizer;
pub(crate) mod create_authorizer;
pub(crate) mod create_certificate_from_csr;
pub(crate) mod create_domain_configuration;
pub(crate) mod create_keys_and_certificate;
pub(crate) mod create_policy;
pub(crate) mod create_policy_version;
pub(crate) mod create_thing;
pub(crate) mod create_thing_group;
pub(crate) mod create_thing_type;
pub(crate) mod delete_authorizer;
pub(crate) mod delete_ca_certificate;
pub(crate) mod delete_certificate;
pub(crate) mod delete_domain_configuration;
pub(crate) mod delete_policy;
pub(crate) mod delete_policy_version;
pub(crate) mod delete_registration_code;
pub(crate) mod delete_thing;
pub(crate) mod delete_thing_group;
pub(crate) mod delete_thing_type;
pub(crate) mod delete_v2_logging_level;
pub(crate) mod deprecate_thing_type;
pub(crate) mod describe_authorizer;
pub(crate) mod describe_ca_certificate;
pub(crate) mod describe_certificate;
pub(crate) mod describe_default_authorizer;
pub(crate) mod describe_domain_configuration;
pub(crate) mod describe_endpoint;
pub(crate) mod describe_event_configurations;
pub(crate) mod describe_thing;
pub(crate) mod describe_thing_group;
pub(crate) mod describe_thing_type;
pub(crate) mod detach_policy;
pub(crate) mod detach_principal_policy;
pub(crate) mod detach_thing_principal;
pub(crate) mod get_effective_policies;
pub(crate) mod get_logging_options;
pub(crate) mod get_policy;
pub(crate) mod get_policy_version;
pub(crate) mod get_registration_code;
pub(crate) mod get_v2_logging_options;
pub(crate) mod list_attached_policies;
pub(crate) mod list_authorizers;
pub(crate) mod list_ca_certificates;
pub(crate) mod list_certificates;
pub(crate) mod list_certificates_by_ca;
pub(crate) mod list_domain_configurations;
pub(crate) mod list_outgoing_certificates;
pub(crate) mod list_policies;
pub(crate) mod list_policy_principals;
pub(crate) mod list_policy_versions;
pub(crate) mod list_principal_policies;
pub(crate) mod list_principal_things;
pub(crate) mod list_principal_things_v2;
pub(crate) mod list_tags_for_resource;
pub(crate) mod list_targets_for_policy;
pub(crate) mod list_thing_groups;
pub(crate) mod list_thing_groups_for_thing;
pub(crate) mod list_thing_principals;
pub(crate) mod list_thing_principals_v2;
pub(crate) mod list_thing_types;
pub(crate) mod list_things;
pub(crate) mod list_things_in_thing_group;
pub(crate) mod list_v2_logging_levels;
pub(crate) mod register_ca_certificate;
pub(crate) mod register_certificate;
pub(crate) mod register_certificate_without_ca;
pub(crate) mod reject_certificate_transfer;
pub(crate) mod remove_thing_from_thing_group;
pub(crate) mod set_default_authorizer;
pub(crate) mod set_default_policy_version;
pub(crate) mod set_logging_options;
pub(crate) mod set_v2_logging_level;
pub(crate) mod set_v2_logging_options;
pub(crate) mod shapes;
pub(crate) mod tag_resource;
pub(crate) mod test_authorization;
pub(crate) mod test_invoke_authorizer;
pub(crate) mod transfer_certificate;
pub(crate) mod untag_resource;
pub(crate) mod update_authorizer;
pub(crate) mod update_ca_certificate;
pub(crate) mod update_certificate;
pub(crate) mod update_domain_configuration;
pub(crate) mod update_event_configurations;
pub(crate) mod update_thing;
pub(crate) mod update_thing_group;
pub(crate) mod update_thing_groups_for_thing;
pub(crate) mod update_thing_type;

/// Their names.
pub(crate) static SERVED: &[&str] = &[
    "AcceptCertificateTransfer",
    "AddThingToThingGroup",
    "AttachPolicy",
    "AttachPrincipalPolicy",
    "AttachThingPrincipal",
    "CancelCertificateTransfer",
    "ClearDefaultAuthorizer",
    "CreateAuthorizer",
    "CreateCertificateFromCsr",
    "CreateDomainConfiguration",
    "CreateKeysAndCertificate",
    "CreatePolicy",
    "CreatePolicyVersion",
    "CreateThing",
    "CreateThingGroup",
    "CreateThingType",
    "DeleteAuthorizer",
    "DeleteCACertificate",
    "DeleteCertificate",
    "DeleteDomainConfiguration",
    "DeletePolicy",
    "DeletePolicyVersion",
    "DeleteRegistrationCode",
    "DeleteThing",
    "DeleteThingGroup",
    "DeleteThingType",
    "DeleteV2LoggingLevel",
    "DeprecateThingType",
    "DescribeAuthorizer",
    "DescribeCACertificate",
    "DescribeCertificate",
    "DescribeDefaultAuthorizer",
    "DescribeDomainConfiguration",
    "DescribeEndpoint",
    "DescribeEventConfigurations",
    "DescribeThing",
    "DescribeThingGroup",
    "DescribeThingType",
    "DetachPolicy",
    "DetachPrincipalPolicy",
    "DetachThingPrincipal",
    "GetEffectivePolicies",
    "GetLoggingOptions",
    "GetPolicy",
    "GetPolicyVersion",
    "GetRegistrationCode",
    "GetV2LoggingOptions",
    "ListAttachedPolicies",
    "ListAuthorizers",
    "ListCACertificates",
    "ListCertificates",
    "ListCertificatesByCA",
    "ListDomainConfigurations",
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
    "ListV2LoggingLevels",
    "RegisterCACertificate",
    "RegisterCertificate",
    "RegisterCertificateWithoutCA",
    "RejectCertificateTransfer",
    "RemoveThingFromThingGroup",
    "SetDefaultAuthorizer",
    "SetDefaultPolicyVersion",
    "SetLoggingOptions",
    "SetV2LoggingLevel",
    "SetV2LoggingOptions",
    "TagResource",
    "TestAuthorization",
    "TestInvokeAuthorizer",
    "TransferCertificate",
    "UntagResource",
    "UpdateAuthorizer",
    "UpdateCACertificate",
    "UpdateCertificate",
    "UpdateDomainConfiguration",
    "UpdateEventConfigurations",
    "UpdateThing",
    "UpdateThingGroup",
    "UpdateThingType",
    "UpdateThingGroupsForThing",
];

/// Answers a call; an operation without a handler is refused in the words of its model.
pub(crate) async fn serve(call: &Call<'_>) -> Result<Reply, ApiError> {
    match call.operation.name {
        "AcceptCertificateTransfer" => call.reply(
            &iot::accept_certificate_transfer(call, call.input(accept_certificate_transfer::INPUT).await?).await?,
        ),
        "AddThingToThingGroup" => {
            call.reply(&iot::add_thing_to_thing_group(call, call.input(add_thing_to_thing_group::INPUT).await?).await?)
        }
        "AttachPolicy" => call.reply(&iot::attach_policy(call, call.input(attach_policy::INPUT).await?).await?),
        "AttachPrincipalPolicy" => {
            call.reply(&iot::attach_principal_policy(call, call.input(attach_principal_policy::INPUT).await?).await?)
        }
        "AttachThingPrincipal" => {
            call.reply(&iot::attach_thing_principal(call, call.input(attach_thing_principal::INPUT).await?).await?)
        }
        "CancelCertificateTransfer" => call.reply(
            &iot::cancel_certificate_transfer(call, call.input(cancel_certificate_transfer::INPUT).await?).await?,
        ),
        "ClearDefaultAuthorizer" => {
            call.reply(&iot::clear_default_authorizer(call, call.input(clear_default_authorizer::INPUT).await?).await?)
        }
        "CreateAuthorizer" => {
            call.reply(&iot::create_authorizer(call, call.input(create_authorizer::INPUT).await?).await?)
        }
        "CreateCertificateFromCsr" => call.reply(
            &iot::create_certificate_from_csr(call, call.input(create_certificate_from_csr::INPUT).await?).await?,
        ),
        "CreateDomainConfiguration" => call.reply(
            &iot::create_domain_configuration(call, call.input(create_domain_configuration::INPUT).await?).await?,
        ),
        "CreateKeysAndCertificate" => call.reply(
            &iot::create_keys_and_certificate(call, call.input(create_keys_and_certificate::INPUT).await?).await?,
        ),
        "CreatePolicy" => call.reply(&iot::create_policy(call, call.input(create_policy::INPUT).await?).await?),
        "CreatePolicyVersion" => {
            call.reply(&iot::create_policy_version(call, call.input(create_policy_version::INPUT).await?).await?)
        }
        "CreateThing" => call.reply(&iot::create_thing(call, call.input(create_thing::INPUT).await?).await?),
        "CreateThingGroup" => {
            call.reply(&iot::create_thing_group(call, call.input(create_thing_group::INPUT).await?).await?)
        }
        "CreateThingType" => {
            call.reply(&iot::create_thing_type(call, call.input(create_thing_type::INPUT).await?).await?)
        }
        "DeleteAuthorizer" => {
            call.reply(&iot::delete_authorizer(call, call.input(delete_authorizer::INPUT).await?).await?)
        }
        "DeleteCACertificate" => {
            call.reply(&iot::delete_ca_certificate(call, call.input(delete_ca_certificate::INPUT).await?).await?)
        }
        "DeleteCertificate" => {
            call.reply(&iot::delete_certificate(call, call.input(delete_certificate::INPUT).await?).await?)
        }
        "DeleteDomainConfiguration" => call.reply(
            &iot::delete_domain_configuration(call, call.input(delete_domain_configuration::INPUT).await?).await?,
        ),
        "DeletePolicy" => call.reply(&iot::delete_policy(call, call.input(delete_policy::INPUT).await?).await?),
        "DeletePolicyVersion" => {
            call.reply(&iot::delete_policy_version(call, call.input(delete_policy_version::INPUT).await?).await?)
        }
        "DeleteRegistrationCode" => {
            call.reply(&iot::delete_registration_code(call, call.input(delete_registration_code::INPUT).await?).await?)
        }
        "DeleteThing" => call.reply(&iot::delete_thing(call, call.input(delete_thing::INPUT).await?).await?),
        "DeleteThingGroup" => {
            call.reply(&iot::delete_thing_group(call, call.input(delete_thing_group::INPUT).await?).await?)
        }
        "DeleteThingType" => {
            call.reply(&iot::delete_thing_type(call, call.input(delete_thing_type::INPUT).await?).await?)
        }
        "DeleteV2LoggingLevel" => {
            call.reply(&iot::delete_v2_logging_level(call, call.input(delete_v2_logging_level::INPUT).await?).await?)
        }
        "DeprecateThingType" => {
            call.reply(&iot::deprecate_thing_type(call, call.input(deprecate_thing_type::INPUT).await?).await?)
        }
        "DescribeAuthorizer" => {
            call.reply(&iot::describe_authorizer(call, call.input(describe_authorizer::INPUT).await?).await?)
        }
        "DescribeCACertificate" => {
            call.reply(&iot::describe_ca_certificate(call, call.input(describe_ca_certificate::INPUT).await?).await?)
        }
        "DescribeCertificate" => {
            call.reply(&iot::describe_certificate(call, call.input(describe_certificate::INPUT).await?).await?)
        }
        "DescribeDefaultAuthorizer" => call.reply(
            &iot::describe_default_authorizer(call, call.input(describe_default_authorizer::INPUT).await?).await?,
        ),
        "DescribeDomainConfiguration" => call.reply(
            &iot::describe_domain_configuration(call, call.input(describe_domain_configuration::INPUT).await?).await?,
        ),
        "DescribeEndpoint" => {
            call.reply(&iot::describe_endpoint(call, call.input(describe_endpoint::INPUT).await?).await?)
        }
        "DescribeEventConfigurations" => call.reply(
            &iot::describe_event_configurations(call, call.input(describe_event_configurations::INPUT).await?).await?,
        ),
        "DescribeThing" => call.reply(&iot::describe_thing(call, call.input(describe_thing::INPUT).await?).await?),
        "DescribeThingGroup" => {
            call.reply(&iot::describe_thing_group(call, call.input(describe_thing_group::INPUT).await?).await?)
        }
        "DescribeThingType" => {
            call.reply(&iot::describe_thing_type(call, call.input(describe_thing_type::INPUT).await?).await?)
        }
        "DetachPolicy" => call.reply(&iot::detach_policy(call, call.input(detach_policy::INPUT).await?).await?),
        "DetachPrincipalPolicy" => {
            call.reply(&iot::detach_principal_policy(call, call.input(detach_principal_policy::INPUT).await?).await?)
        }
        "DetachThingPrincipal" => {
            call.reply(&iot::detach_thing_principal(call, call.input(detach_thing_principal::INPUT).await?).await?)
        }
        "GetEffectivePolicies" => {
            call.reply(&iot::get_effective_policies(call, call.input(get_effective_policies::INPUT).await?).await?)
        }
        "GetLoggingOptions" => {
            call.reply(&iot::get_logging_options(call, call.input(get_logging_options::INPUT).await?).await?)
        }
        "GetPolicy" => call.reply(&iot::get_policy(call, call.input(get_policy::INPUT).await?).await?),
        "GetPolicyVersion" => {
            call.reply(&iot::get_policy_version(call, call.input(get_policy_version::INPUT).await?).await?)
        }
        "GetRegistrationCode" => {
            call.reply(&iot::get_registration_code(call, call.input(get_registration_code::INPUT).await?).await?)
        }
        "GetV2LoggingOptions" => {
            call.reply(&iot::get_v2_logging_options(call, call.input(get_v2_logging_options::INPUT).await?).await?)
        }
        "ListAttachedPolicies" => {
            call.reply(&iot::list_attached_policies(call, call.input(list_attached_policies::INPUT).await?).await?)
        }
        "ListAuthorizers" => {
            call.reply(&iot::list_authorizers(call, call.input(list_authorizers::INPUT).await?).await?)
        }
        "ListCACertificates" => {
            call.reply(&iot::list_ca_certificates(call, call.input(list_ca_certificates::INPUT).await?).await?)
        }
        "ListCertificates" => {
            call.reply(&iot::list_certificates(call, call.input(list_certificates::INPUT).await?).await?)
        }
        "ListCertificatesByCA" => {
            call.reply(&iot::list_certificates_by_ca(call, call.input(list_certificates_by_ca::INPUT).await?).await?)
        }
        "ListDomainConfigurations" => call
            .reply(&iot::list_domain_configurations(call, call.input(list_domain_configurations::INPUT).await?).await?),
        "ListOutgoingCertificates" => call
            .reply(&iot::list_outgoing_certificates(call, call.input(list_outgoing_certificates::INPUT).await?).await?),
        "ListPolicies" => call.reply(&iot::list_policies(call, call.input(list_policies::INPUT).await?).await?),
        "ListPolicyPrincipals" => {
            call.reply(&iot::list_policy_principals(call, call.input(list_policy_principals::INPUT).await?).await?)
        }
        "ListPolicyVersions" => {
            call.reply(&iot::list_policy_versions(call, call.input(list_policy_versions::INPUT).await?).await?)
        }
        "ListPrincipalPolicies" => {
            call.reply(&iot::list_principal_policies(call, call.input(list_principal_policies::INPUT).await?).await?)
        }
        "ListPrincipalThings" => {
            call.reply(&iot::list_principal_things(call, call.input(list_principal_things::INPUT).await?).await?)
        }
        "ListPrincipalThingsV2" => {
            call.reply(&iot::list_principal_things_v2(call, call.input(list_principal_things_v2::INPUT).await?).await?)
        }
        "ListTagsForResource" => {
            call.reply(&iot::list_tags_for_resource(call, call.input(list_tags_for_resource::INPUT).await?).await?)
        }
        "ListTargetsForPolicy" => {
            call.reply(&iot::list_targets_for_policy(call, call.input(list_targets_for_policy::INPUT).await?).await?)
        }
        "ListThingGroups" => {
            call.reply(&iot::list_thing_groups(call, call.input(list_thing_groups::INPUT).await?).await?)
        }
        "ListThingGroupsForThing" => call.reply(
            &iot::list_thing_groups_for_thing(call, call.input(list_thing_groups_for_thing::INPUT).await?).await?,
        ),
        "ListThingPrincipals" => {
            call.reply(&iot::list_thing_principals(call, call.input(list_thing_principals::INPUT).await?).await?)
        }
        "ListThingPrincipalsV2" => {
            call.reply(&iot::list_thing_principals_v2(call, call.input(list_thing_principals_v2::INPUT).await?).await?)
        }
        "ListThingTypes" => call.reply(&iot::list_thing_types(call, call.input(list_thing_types::INPUT).await?).await?),
        "ListThings" => call.reply(&iot::list_things(call, call.input(list_things::INPUT).await?).await?),
        "ListThingsInThingGroup" => call
            .reply(&iot::list_things_in_thing_group(call, call.input(list_things_in_thing_group::INPUT).await?).await?),
        "ListV2LoggingLevels" => {
            call.reply(&iot::list_v2_logging_levels(call, call.input(list_v2_logging_levels::INPUT).await?).await?)
        }
        "RegisterCACertificate" => {
            call.reply(&iot::register_ca_certificate(call, call.input(register_ca_certificate::INPUT).await?).await?)
        }
        "RegisterCertificate" => {
            call.reply(&iot::register_certificate(call, call.input(register_certificate::INPUT).await?).await?)
        }
        "RegisterCertificateWithoutCA" => call.reply(
            &iot::register_certificate_without_ca(call, call.input(register_certificate_without_ca::INPUT).await?)
                .await?,
        ),
        "RejectCertificateTransfer" => call.reply(
            &iot::reject_certificate_transfer(call, call.input(reject_certificate_transfer::INPUT).await?).await?,
        ),
        "RemoveThingFromThingGroup" => call.reply(
            &iot::remove_thing_from_thing_group(call, call.input(remove_thing_from_thing_group::INPUT).await?).await?,
        ),
        "SetDefaultAuthorizer" => {
            call.reply(&iot::set_default_authorizer(call, call.input(set_default_authorizer::INPUT).await?).await?)
        }
        "SetDefaultPolicyVersion" => call
            .reply(&iot::set_default_policy_version(call, call.input(set_default_policy_version::INPUT).await?).await?),
        "SetLoggingOptions" => {
            call.reply(&iot::set_logging_options(call, call.input(set_logging_options::INPUT).await?).await?)
        }
        "SetV2LoggingLevel" => {
            call.reply(&iot::set_v2_logging_level(call, call.input(set_v2_logging_level::INPUT).await?).await?)
        }
        "SetV2LoggingOptions" => {
            call.reply(&iot::set_v2_logging_options(call, call.input(set_v2_logging_options::INPUT).await?).await?)
        }
        "TagResource" => call.reply(&iot::tag_resource(call, call.input(tag_resource::INPUT).await?).await?),
        "TestAuthorization" => {
            call.reply(&iot::test_authorization(call, call.input(test_authorization::INPUT).await?).await?)
        }
        "TestInvokeAuthorizer" => {
            call.reply(&iot::test_invoke_authorizer(call, call.input(test_invoke_authorizer::INPUT).await?).await?)
        }
        "TransferCertificate" => {
            call.reply(&iot::transfer_certificate(call, call.input(transfer_certificate::INPUT).await?).await?)
        }
        "UntagResource" => call.reply(&iot::untag_resource(call, call.input(untag_resource::INPUT).await?).await?),
        "UpdateAuthorizer" => {
            call.reply(&iot::update_authorizer(call, call.input(update_authorizer::INPUT).await?).await?)
        }
        "UpdateCACertificate" => {
            call.reply(&iot::update_ca_certificate(call, call.input(update_ca_certificate::INPUT).await?).await?)
        }
        "UpdateCertificate" => {
            call.reply(&iot::update_certificate(call, call.input(update_certificate::INPUT).await?).await?)
        }
        "UpdateDomainConfiguration" => call.reply(
            &iot::update_domain_configuration(call, call.input(update_domain_configuration::INPUT).await?).await?,
        ),
        "UpdateEventConfigurations" => call.reply(
            &iot::update_event_configurations(call, call.input(update_event_configurations::INPUT).await?).await?,
        ),
        "UpdateThing" => call.reply(&iot::update_thing(call, call.input(update_thing::INPUT).await?).await?),
        "UpdateThingGroup" => {
            call.reply(&iot::update_thing_group(call, call.input(update_thing_group::INPUT).await?).await?)
        }
        "UpdateThingType" => {
            call.reply(&iot::update_thing_type(call, call.input(update_thing_type::INPUT).await?).await?)
        }
        "UpdateThingGroupsForThing" => call.reply(
            &iot::update_thing_groups_for_thing(call, call.input(update_thing_groups_for_thing::INPUT).await?).await?,
        ),
        _ => Err(call.not_served()),
    }
}
