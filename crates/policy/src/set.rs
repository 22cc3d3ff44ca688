//! All policies of a principal, compiled together.

use std::sync::Arc;

use tidegate_ids::{PolicyName, Tenant};

use crate::{
    Access, Decision, Document, Effect, Origin, RequestContext, Variables,
    access::AccessSet,
    document::Statement,
    pattern::matches,
    rule::{
        Draft, ResourcePrefixes, Rules, bind_conditions, bind_resources, is_same_for_all, named_accesses, names_action,
    },
    sieve::Probe,
    template::Template,
    variables::is_of_certificate,
};

/// A policy as it is in force for a principal.
#[derive(Debug, Clone)]
pub struct AttachedPolicy {
    /// Its name.
    pub name: PolicyName,
    /// Number of the version in force, from 1.
    pub version: u32,
    /// The document of that version.
    pub document: Arc<Document>,
}

/// The policies of one principal. Immutable; a clone is a reference count.
#[derive(Debug, Clone)]
pub struct PolicySet(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    policies: Box<[AttachedPolicy]>,
    prefixes: ResourcePrefixes,
    /// What says the same for every connection.
    shared: Rules,
    /// Statements of which something waits for variables, and the accesses they name.
    open: Box<[(Origin, AccessSet)]>,
    /// Whether some of those wait for what a certificate says.
    open_to_certificate: bool,
}

impl Compiled {
    fn statement(&self, origin: Origin) -> &Statement {
        &self.policies[usize::from(origin.policy)].document.statements[usize::from(origin.statement)]
    }

    fn origins(&self) -> impl Iterator<Item = Origin> {
        self.policies.iter().enumerate().flat_map(|(policy, attached)| {
            (0..attached.document.statements.len())
                .map(move |statement| Origin { policy: policy as u16, statement: statement as u16 })
        })
    }
}

impl PolicySet {
    /// Most policies of a set; those after it are ignored by [`PolicySet::compile`]'s caller, who bounds attachments.
    pub const POLICIES_MAX: usize = u16::MAX as usize;

    /// Compiles the policies of a principal of `tenant`. For IAM identity policies, of which only
    /// [`PolicySet::decide_arn`] is asked, any region of the account does.
    ///
    /// Panics with more than [`Self::POLICIES_MAX`] policies.
    pub fn compile(tenant: Tenant, policies: impl IntoIterator<Item = AttachedPolicy>) -> Self {
        let policies: Box<[_]> = policies.into_iter().collect();
        assert!(policies.len() <= Self::POLICIES_MAX, "attachments are bounded long before");
        let (prefixes, shared) = (ResourcePrefixes::new(tenant), Draft::default().finish());
        let mut compiled = Compiled { policies, prefixes, shared, open: [].into(), open_to_certificate: false };
        let (mut shared, mut open, nothing_known) = (Draft::default(), Vec::new(), Variables::new());
        for origin in compiled.origins() {
            let statement = compiled.statement(origin);
            let accesses = named_accesses(statement);
            if accesses.is_empty() {
                continue; // for decide_arn only
            }
            let same = |resource: &Template| is_same_for_all(statement, resource);
            if statement.resources.items.iter().any(same) {
                shared.add(origin, accesses, statement, same, &compiled.prefixes, &nothing_known);
            }
            if !statement.resources.items.iter().all(same) {
                open.push((origin, accesses));
            }
        }
        let asks_certificate = |(origin, _): &(Origin, _)| names(compiled.statement(*origin)).any(is_of_certificate);
        compiled.open_to_certificate = open.iter().any(asks_certificate);
        (compiled.shared, compiled.open) = (shared.finish(), open.into());
        Self(Arc::new(compiled))
    }

    /// Whether [`BoundPolicy::decide`] can depend on [`Variables`]; if not, binding costs nothing and needs none.
    pub fn uses_variables(&self) -> bool {
        !self.0.open.is_empty()
    }

    /// Whether it can depend on those that [`Variables::certificate_attribute`] and [`Variables::serial_number`] give.
    pub fn uses_certificate(&self) -> bool {
        self.0.open_to_certificate
    }

    /// Fixes the variables for a connection.
    pub fn bind(&self, variables: &Variables) -> BoundPolicy {
        let own = self.uses_variables().then(|| {
            let mut own = Draft::default();
            for &(origin, accesses) in &self.0.open {
                let statement = self.0.statement(origin);
                let open = |resource: &Template| !is_same_for_all(statement, resource);
                own.add(origin, accesses, statement, open, &self.0.prefixes, variables);
            }
            Box::new(own.finish())
        });
        BoundPolicy { set: self.clone(), own }
    }

    /// Decides about any action on any resource, such as `iot:CreatePolicy` under an IAM policy, or `iot:UpdateThingShadow`.
    ///
    /// Binds as it goes and allocates: for requests of the API, not for messages.
    pub fn decide_arn(
        &self,
        action: &str,
        resource_arn: &str,
        variables: &Variables,
        context: &RequestContext<'_>,
    ) -> Decision {
        let applies = |statement: &Statement| {
            names_action(&statement.actions, action)
                && bind_resources(statement, |_| true, variables).is_some_and(|resources| {
                    let matched = resources.iter().any(|pattern| matches(pattern, resource_arn));
                    matched != statement.resources.negated
                })
                && bind_conditions(statement, variables)
                    .is_some_and(|conditions| conditions.iter().all(|condition| condition.holds(context)))
        };
        let mut allowed = None;
        for origin in self.0.origins() {
            let statement = self.0.statement(origin);
            match statement.effect {
                Effect::Allow if allowed.is_some() => {}
                Effect::Allow if applies(statement) => allowed = Some(origin),
                Effect::Deny if applies(statement) => return Decision::ExplicitDeny(origin),
                Effect::Allow | Effect::Deny => {}
            }
        }
        allowed.map_or(Decision::ImplicitDeny, Decision::Allowed)
    }

    /// The policies, in the order in which they were given; [`Origin::policy`] counts in it.
    pub fn policies(&self) -> &[AttachedPolicy] {
        &self.0.policies
    }

    /// The policy that a decision came from. Panics for an origin of another set with more policies.
    pub fn policy(&self, origin: Origin) -> &AttachedPolicy {
        &self.0.policies[usize::from(origin.policy)]
    }

    pub(crate) fn statement(&self, origin: Origin) -> &Statement {
        self.0.statement(origin)
    }

    pub(crate) fn origins(&self) -> impl Iterator<Item = Origin> {
        self.0.origins()
    }

    /// What stands before the text of a `kind` of resource: `arn:aws:iot:REGION:ACCOUNT:topic/`, …
    pub(crate) fn prefix(&self, access: Access) -> &str {
        self.0.prefixes.of(access.kind())
    }

    /// The `Sid` of the statement that a decision came from.
    pub fn sid(&self, origin: Origin) -> Option<&str> {
        self.0.statement(origin).sid.as_deref()
    }
}

/// The variables and condition keys that a statement names.
fn names(statement: &Statement) -> impl Iterator<Item = &str> {
    let compared = statement.conditions.iter().flat_map(|condition| &condition.values);
    let keys = statement.conditions.iter().map(|condition| &*condition.key);
    statement.resources.items.iter().chain(compared).flat_map(Template::variables).chain(keys)
}

/// The policies of one connection: variables are fixed, only the access and its text are open.
#[derive(Debug)]
pub struct BoundPolicy {
    set: PolicySet,
    /// Rules of this connection alone.
    own: Option<Box<Rules>>,
}

impl BoundPolicy {
    /// Decides about an access to a client id, a topic name or a topic filter, given as bare text.
    ///
    /// No allocation; O(statements × pattern × text) at worst. With no condition on the time ([`Self::depends_on_time`])
    /// and the same `context.values`, the answer never changes.
    pub fn decide(&self, access: Access, text: &str, context: &RequestContext<'_>) -> Decision {
        let probe = Probe::new(text);
        if let Some(origin) = self.first(Effect::Deny, access, &probe, context) {
            return Decision::ExplicitDeny(origin);
        }
        self.first(Effect::Allow, access, &probe, context).map_or(Decision::ImplicitDeny, Decision::Allowed)
    }

    /// A statement of `effect` that applies.
    pub(crate) fn first(
        &self,
        effect: Effect,
        access: Access,
        probe: &Probe<'_>,
        context: &RequestContext<'_>,
    ) -> Option<Origin> {
        let own = self.own.as_deref().into_iter();
        std::iter::once(&self.set.0.shared).chain(own).find_map(|rules| rules.first(effect, access, probe, context))
    }

    /// Whether decisions may change with the time, and must not be cached.
    pub fn depends_on_time(&self) -> bool {
        // Statements with conditions are never among the shared ones.
        self.own.as_deref().is_some_and(|own| own.depends_on_time)
    }

    /// The set it was bound from, to name the policy behind a decision.
    pub fn set(&self) -> &PolicySet {
        &self.set
    }
}
