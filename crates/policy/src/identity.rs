//! IAM's documents: identity policies, which users and roles have, and trust policies, which say who may take on a role.

use crate::{
    Document, Effect, MalformedPolicy, RequestContext, Variables,
    document::{Listed, Statement, split_principals},
    json::Json,
    pattern::ANY_RUN,
    rule::{bind_conditions, names_action},
};

/// Most characters of a trust policy, white space not counted. AWS: IAM quota, role trust policy length.
const TRUST_CHARACTERS_MAX: usize = 2048;
/// Most bytes of a document's text, white space included. AWS: the model's cap on `policyDocumentType`.
const TEXT_BYTES_MAX: usize = 131_072;

impl Document {
    /// Reads an IAM identity policy with at most `characters_max` characters, white space not counted.
    ///
    /// Beside the structure: actions name their service, resources are ARNs, a `Sid` is letters and digits.
    /// AWS: IAM user guide, "IAM JSON policy elements"; the sentences are IAM's where one is known.
    pub fn parse_identity(text: &str, characters_max: usize) -> Result<Self, MalformedPolicy> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(MalformedPolicy::TooLarge { characters: text.len(), characters_max: TEXT_BYTES_MAX });
        }
        let document = Self::parse_within(text, characters_max)?;
        for (index, statement) in document.statements.iter().enumerate() {
            check_statement(statement, &format!("Statement[{index}]"))?;
        }
        Ok(document)
    }
}

fn check_statement(statement: &Statement, at: &str) -> Result<(), MalformedPolicy> {
    if statement.sid.as_deref().is_some_and(|sid| !sid.bytes().all(|b| b.is_ascii_alphanumeric())) {
        return wrong(&format!("{at}.Sid"), "Statement IDs (SID) must be alpha-numeric");
    }
    check_actions(&statement.actions, at)?;
    for resource in &statement.resources.items {
        let pattern = resource.spelled();
        if !pattern.starts_with(b"arn:") && pattern != [ANY_RUN] {
            return wrong(&format!("{at}.Resource"), "a resource must be in ARN format or \"*\"");
        }
    }
    Ok(())
}

fn check_actions(actions: &Listed<Box<str>>, at: &str) -> Result<(), MalformedPolicy> {
    let has_vendor = |action: &str| {
        action == "*"
            || action.split_once(':').is_some_and(|(vendor, name)| {
                !name.is_empty()
                    && !vendor.is_empty()
                    && vendor.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'*' || b == b'?')
            })
    };
    match actions.items.iter().all(|action| has_vendor(action)) {
        true => Ok(()),
        false => {
            wrong(&format!("{at}.Action"), "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
        }
    }
}

fn wrong<T>(at: &str, problem: &str) -> Result<T, MalformedPolicy> {
    Err(MalformedPolicy::Structure { at: at.to_owned(), problem: problem.to_owned() })
}

/// Who may take on a role. AWS: IAM user guide, "AWS JSON policy elements: Principal".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustPolicy {
    statements: Box<[TrustStatement]>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct TrustStatement {
    statement: Statement,
    principals: Listed<TrustedPrincipal>,
}

/// Whom a statement of a trust policy names.
#[derive(Debug, Clone, PartialEq, Eq)]
enum TrustedPrincipal {
    Everybody,
    /// `123456789012`, or the ARN of its root: the account, which decides by its own policies.
    Account(Box<str>),
    /// The ARN of a user, a role or a session.
    Identity(Box<str>),
    /// A service or an identity provider: nobody here.
    Foreign,
}

/// Who asks to take on a role.
#[derive(Debug, Clone, Copy)]
pub struct Trustee<'a> {
    /// The account it is of, 12 digits.
    pub account: &'a str,
    /// The ARNs that name it: of the user; of the session, and of the role behind it.
    pub arns: &'a [&'a str],
}

/// What a trust policy says about somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// It names them, or everybody.
    Named,
    /// It trusts their account, whose own policies must allow it too.
    Account,
    /// It says nothing of them.
    Nobody,
    /// A statement denies it.
    Denied,
}

impl TrustPolicy {
    /// Reads a trust policy.
    pub fn parse(text: &str) -> Result<Self, MalformedPolicy> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(MalformedPolicy::TooLarge { characters: text.len(), characters_max: TEXT_BYTES_MAX });
        }
        let (documents, principals) = split_principals(text, TRUST_CHARACTERS_MAX)?;
        let mut statements = Vec::new();
        for (index, (statement, (negated, principal))) in documents.into_iter().zip(principals).enumerate() {
            let at = format!("Statement[{index}]");
            check_actions(&statement.actions, &at)?;
            let items = trusted(&principal, &at)?.into();
            statements.push(TrustStatement { statement, principals: Listed { negated, items } });
        }
        Ok(Self { statements: statements.into() })
    }

    /// Whether `trustee` may do `action`, such as `sts:AssumeRole`, as far as this policy says.
    pub fn decide(
        &self,
        action: &str,
        trustee: Trustee<'_>,
        variables: &Variables,
        context: &RequestContext<'_>,
    ) -> Trust {
        let mut trust = Trust::Nobody;
        for TrustStatement { statement, principals } in &self.statements {
            let applies = names_action(&statement.actions, action)
                && bind_conditions(statement, variables)
                    .is_some_and(|conditions| conditions.iter().all(|condition| condition.holds(context)));
            let named = if applies { principals.name(trustee) } else { None };
            match (statement.effect, named) {
                (_, None) => {}
                (Effect::Deny, Some(_)) => return Trust::Denied,
                (Effect::Allow, Some(Trust::Named)) => trust = Trust::Named,
                (Effect::Allow, Some(found)) if trust == Trust::Nobody => trust = found,
                (Effect::Allow, Some(_)) => {}
            }
        }
        trust
    }
}

impl Listed<TrustedPrincipal> {
    /// How the list means `trustee`; `None` when it does not.
    fn name(&self, trustee: Trustee<'_>) -> Option<Trust> {
        let named = |principal: &TrustedPrincipal| match principal {
            TrustedPrincipal::Everybody => Some(Trust::Named),
            TrustedPrincipal::Identity(arn) => trustee.arns.contains(&&**arn).then_some(Trust::Named),
            TrustedPrincipal::Account(account) => (**account == *trustee.account).then_some(Trust::Account),
            TrustedPrincipal::Foreign => None,
        };
        let found: Vec<Trust> = self.items.iter().filter_map(named).collect();
        match self.negated {
            false if found.contains(&Trust::Named) => Some(Trust::Named),
            false => found.first().copied(),
            true => found.is_empty().then_some(Trust::Named),
        }
    }
}

/// `"*"`, or `{ "AWS": …, "Service": …, "Federated": … }`.
fn trusted(json: &Json, at: &str) -> Result<Vec<TrustedPrincipal>, MalformedPolicy> {
    let at = format!("{at}.Principal");
    match json {
        Json::String(text) if text == "*" => Ok(vec![TrustedPrincipal::Everybody]),
        Json::Object(kinds) if !kinds.is_empty() => {
            let mut principals = Vec::new();
            for (kind, values) in kinds {
                let values = match values {
                    Json::Array(list) if !list.is_empty() => list.iter().collect(),
                    single => vec![single],
                };
                for value in values {
                    let Json::String(text) = value else { return wrong(&at, "a principal is a string") };
                    principals.push(match kind.as_str() {
                        "AWS" => aws_principal(text).map_or_else(
                            || wrong(&at, &format!("Invalid principal in policy: \"AWS\":\"{text}\"")),
                            Ok,
                        )?,
                        "Service" | "Federated" | "CanonicalUser" => TrustedPrincipal::Foreign,
                        _ => return wrong(&at, "the grammar has no such kind of principal"),
                    });
                }
            }
            Ok(principals)
        }
        _ => wrong(&at, "it is neither \"*\" nor an object"),
    }
}

fn aws_principal(text: &str) -> Option<TrustedPrincipal> {
    let is_account = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    if text == "*" {
        return Some(TrustedPrincipal::Everybody);
    }
    if is_account(text) {
        return Some(TrustedPrincipal::Account(text.into()));
    }
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let &["arn", "aws", service, "", account, resource] = parts.as_slice() else { return None };
    let of = |kinds: &[&str]| kinds.iter().any(|kind| resource.strip_prefix(kind).is_some_and(|rest| !rest.is_empty()));
    match (is_account(account), service, resource) {
        (true, "iam", "root") => Some(TrustedPrincipal::Account(account.into())),
        // AWS: a principal is named whole; wildcards in it are refused.
        (true, "iam", _) if of(&["user/", "role/"]) && !resource.contains('*') => {
            Some(TrustedPrincipal::Identity(text.into()))
        }
        (true, "sts", _) if of(&["assumed-role/"]) && !resource.contains('*') => {
            Some(TrustedPrincipal::Identity(text.into()))
        }
        _ => None,
    }
}
