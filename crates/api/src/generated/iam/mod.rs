// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! Served operations of iam.

use crate::{
    ApiError,
    call::{Call, Reply},
    iam,
};

pub(crate) mod attach_role_policy;
pub(crate) mod attach_user_policy;
pub(crate) mod create_access_key;
pub(crate) mod create_policy;
pub(crate) mod create_role;
pub(crate) mod create_user;
pub(crate) mod delete_access_key;
pub(crate) mod delete_policy;
pub(crate) mod delete_role;
pub(crate) mod delete_role_policy;
pub(crate) mod delete_user;
pub(crate) mod delete_user_policy;
pub(crate) mod detach_role_policy;
pub(crate) mod detach_user_policy;
pub(crate) mod get_access_key_last_used;
pub(crate) mod get_policy;
pub(crate) mod get_policy_version;
pub(crate) mod get_role;
pub(crate) mod get_role_policy;
pub(crate) mod get_user;
pub(crate) mod get_user_policy;
pub(crate) mod list_access_keys;
pub(crate) mod list_attached_role_policies;
pub(crate) mod list_attached_user_policies;
pub(crate) mod list_policies;
pub(crate) mod list_role_policies;
pub(crate) mod list_roles;
pub(crate) mod list_user_policies;
pub(crate) mod list_users;
pub(crate) mod put_role_policy;
pub(crate) mod put_user_policy;
pub(crate) mod shapes;
pub(crate) mod update_access_key;

/// Their names.
pub(crate) static SERVED: &[&str] = &[
    "AttachRolePolicy",
    "AttachUserPolicy",
    "CreateAccessKey",
    "CreatePolicy",
    "CreateRole",
    "CreateUser",
    "DeleteAccessKey",
    "DeletePolicy",
    "DeleteRole",
    "DeleteRolePolicy",
    "DeleteUser",
    "DeleteUserPolicy",
    "DetachRolePolicy",
    "DetachUserPolicy",
    "GetAccessKeyLastUsed",
    "GetPolicy",
    "GetPolicyVersion",
    "GetRole",
    "GetRolePolicy",
    "GetUser",
    "GetUserPolicy",
    "ListAccessKeys",
    "ListAttachedRolePolicies",
    "ListAttachedUserPolicies",
    "ListPolicies",
    "ListRolePolicies",
    "ListRoles",
    "ListUserPolicies",
    "ListUsers",
    "PutRolePolicy",
    "PutUserPolicy",
    "UpdateAccessKey",
];

/// Answers a call; an operation without a handler is refused in the words of its model.
pub(crate) async fn serve(call: &Call<'_>) -> Result<Reply, ApiError> {
    match call.operation.name {
        "AttachRolePolicy" => {
            call.reply(&iam::attach_role_policy(call, call.input(attach_role_policy::INPUT).await?).await?)
        }
        "AttachUserPolicy" => {
            call.reply(&iam::attach_user_policy(call, call.input(attach_user_policy::INPUT).await?).await?)
        }
        "CreateAccessKey" => {
            call.reply(&iam::create_access_key(call, call.input(create_access_key::INPUT).await?).await?)
        }
        "CreatePolicy" => call.reply(&iam::create_policy(call, call.input(create_policy::INPUT).await?).await?),
        "CreateRole" => call.reply(&iam::create_role(call, call.input(create_role::INPUT).await?).await?),
        "CreateUser" => call.reply(&iam::create_user(call, call.input(create_user::INPUT).await?).await?),
        "DeleteAccessKey" => {
            call.reply(&iam::delete_access_key(call, call.input(delete_access_key::INPUT).await?).await?)
        }
        "DeletePolicy" => call.reply(&iam::delete_policy(call, call.input(delete_policy::INPUT).await?).await?),
        "DeleteRole" => call.reply(&iam::delete_role(call, call.input(delete_role::INPUT).await?).await?),
        "DeleteRolePolicy" => {
            call.reply(&iam::delete_role_policy(call, call.input(delete_role_policy::INPUT).await?).await?)
        }
        "DeleteUser" => call.reply(&iam::delete_user(call, call.input(delete_user::INPUT).await?).await?),
        "DeleteUserPolicy" => {
            call.reply(&iam::delete_user_policy(call, call.input(delete_user_policy::INPUT).await?).await?)
        }
        "DetachRolePolicy" => {
            call.reply(&iam::detach_role_policy(call, call.input(detach_role_policy::INPUT).await?).await?)
        }
        "DetachUserPolicy" => {
            call.reply(&iam::detach_user_policy(call, call.input(detach_user_policy::INPUT).await?).await?)
        }
        "GetAccessKeyLastUsed" => {
            call.reply(&iam::get_access_key_last_used(call, call.input(get_access_key_last_used::INPUT).await?).await?)
        }
        "GetPolicy" => call.reply(&iam::get_policy(call, call.input(get_policy::INPUT).await?).await?),
        "GetPolicyVersion" => {
            call.reply(&iam::get_policy_version(call, call.input(get_policy_version::INPUT).await?).await?)
        }
        "GetRole" => call.reply(&iam::get_role(call, call.input(get_role::INPUT).await?).await?),
        "GetRolePolicy" => call.reply(&iam::get_role_policy(call, call.input(get_role_policy::INPUT).await?).await?),
        "GetUser" => call.reply(&iam::get_user(call, call.input(get_user::INPUT).await?).await?),
        "GetUserPolicy" => call.reply(&iam::get_user_policy(call, call.input(get_user_policy::INPUT).await?).await?),
        "ListAccessKeys" => call.reply(&iam::list_access_keys(call, call.input(list_access_keys::INPUT).await?).await?),
        "ListAttachedRolePolicies" => call.reply(
            &iam::list_attached_role_policies(call, call.input(list_attached_role_policies::INPUT).await?).await?,
        ),
        "ListAttachedUserPolicies" => call.reply(
            &iam::list_attached_user_policies(call, call.input(list_attached_user_policies::INPUT).await?).await?,
        ),
        "ListPolicies" => call.reply(&iam::list_policies(call, call.input(list_policies::INPUT).await?).await?),
        "ListRolePolicies" => {
            call.reply(&iam::list_role_policies(call, call.input(list_role_policies::INPUT).await?).await?)
        }
        "ListRoles" => call.reply(&iam::list_roles(call, call.input(list_roles::INPUT).await?).await?),
        "ListUserPolicies" => {
            call.reply(&iam::list_user_policies(call, call.input(list_user_policies::INPUT).await?).await?)
        }
        "ListUsers" => call.reply(&iam::list_users(call, call.input(list_users::INPUT).await?).await?),
        "PutRolePolicy" => call.reply(&iam::put_role_policy(call, call.input(put_role_policy::INPUT).await?).await?),
        "PutUserPolicy" => call.reply(&iam::put_user_policy(call, call.input(put_user_policy::INPUT).await?).await?),
        "UpdateAccessKey" => {
            call.reply(&iam::update_access_key(call, call.input(update_access_key::INPUT).await?).await?)
        }
        _ => Err(call.not_served()),
    }
}
