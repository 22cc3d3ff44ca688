//! Why a decision is what it is: which statements decided, and which came near.

use crate::{
    Access, AttachedPolicy, Decision, Effect, Origin, PolicySet, Rendered, RequestContext, Variables, WhyUnresolved,
    condition::Condition,
    document::Statement,
    pattern::matches,
    rule::{bind_resources, names_action},
};

/// A decision with its grounds. Holds names and values of what is known about the connection; none of them is a secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// What the engine of the message path decides.
    pub decision: Decision,
    /// The statements that name the action, in the order of the policies; those that name others are left out.
    pub statements: Vec<StatementFinding>,
    /// What each policy says by itself, in the order of [`PolicySet::policies`].
    pub verdicts: Vec<PolicyVerdict>,
    /// Variables and condition keys that those statements ask for and that nothing is known about, each once.
    pub missing: Vec<String>,
}

/// What one policy says, as if it were the only one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyVerdict {
    /// It allows, and does not deny.
    Allows,
    /// It denies, whatever it allows besides.
    Denies,
    /// It says nothing about it.
    Silent,
}

/// What one statement comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct StatementFinding {
    /// Where it is.
    pub origin: Origin,
    /// Its `Sid`.
    pub sid: Option<Box<str>>,
    /// What it does with what it matches.
    pub effect: Effect,
    /// Whether it applies, or what is in the way.
    pub outcome: Outcome,
    /// Whether the resources are those that are *not* meant.
    pub not_resource: bool,
    /// Its resources, variables replaced.
    pub resources: Vec<Rendered>,
    /// Its conditions.
    pub conditions: Vec<ConditionFinding>,
}

/// How far a statement that names the action came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It applies.
    Applies,
    /// None of its resources matches, or a variable in them has no value.
    ResourceDiffers,
    /// The resource matches, and a condition does not hold.
    ConditionFails,
}

/// What one condition comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct ConditionFinding {
    /// The operator, as the document writes it.
    pub operator: Box<str>,
    /// The condition key.
    pub key: Box<str>,
    /// The policy's values, variables replaced.
    pub values: Vec<Rendered>,
    /// The key's values; `None` when it has none.
    pub found: Option<Vec<String>>,
    /// Whether it holds.
    pub holds: bool,
}

impl PolicySet {
    /// Decides about `action`, such as `iot:Publish`, on the resource with this ARN, and says why.
    ///
    /// What clients do on the message path is decided by [`crate::BoundPolicy::decide`], all else by
    /// [`Self::decide_arn`]. Binds and allocates for every statement: for people, not for messages.
    pub fn explain(
        &self,
        action: &str,
        resource_arn: &str,
        variables: &Variables,
        context: &RequestContext<'_>,
    ) -> Explanation {
        let bare = |access: Access| resource_arn.strip_prefix(self.prefix(access)).map(|text| (access, text));
        let decision = match Access::named(action).and_then(bare) {
            Some((access, text)) => self.bind(variables).decide(access, text, context),
            None => self.decide_arn(action, resource_arn, variables, context),
        };
        let named = self.origins().filter(|origin| names_action(&self.statement(*origin).actions, action));
        let statements: Vec<StatementFinding> =
            named.map(|origin| finding(origin, self.statement(origin), resource_arn, variables, context)).collect();
        let verdicts = (0..self.policies().len()).map(|policy| verdict(policy, &statements)).collect();
        let missing = missing(&statements);
        Explanation { decision, statements, verdicts, missing }
    }
}

impl Explanation {
    /// The statements that made the decision: all that deny, or all that allow; none for an implicit deny.
    pub fn deciding(&self) -> impl Iterator<Item = &StatementFinding> {
        let effect = match self.decision {
            Decision::Allowed(_) => Some(Effect::Allow),
            Decision::ExplicitDeny(_) => Some(Effect::Deny),
            Decision::ImplicitDeny => None,
        };
        self.statements.iter().filter(move |s| Some(s.effect) == effect && s.outcome == Outcome::Applies)
    }

    /// The policies of `set` with this verdict.
    pub fn policies<'s>(&self, set: &'s PolicySet, verdict: PolicyVerdict) -> impl Iterator<Item = &'s AttachedPolicy> {
        set.policies().iter().zip(&self.verdicts).filter(move |(_, found)| **found == verdict).map(|(policy, _)| policy)
    }
}

fn finding(
    origin: Origin,
    statement: &Statement,
    resource_arn: &str,
    variables: &Variables,
    context: &RequestContext<'_>,
) -> StatementFinding {
    let conditions: Vec<ConditionFinding> =
        statement.conditions.iter().map(|one| condition(one, statement.effect, variables, context)).collect();
    let not_resource = statement.resources.negated;
    let on_resource = bind_resources(statement, |_| true, variables)
        .is_some_and(|resources| resources.iter().any(|pattern| matches(pattern, resource_arn)) != not_resource);
    let outcome = match (on_resource, conditions.iter().all(|condition| condition.holds)) {
        (true, true) => Outcome::Applies,
        (false, _) => Outcome::ResourceDiffers,
        (true, false) => Outcome::ConditionFails,
    };
    let resources = statement.resources.items.iter().map(|template| template.render(variables)).collect();
    let (sid, effect) = (statement.sid.clone(), statement.effect);
    StatementFinding { origin, sid, effect, outcome, not_resource, resources, conditions }
}

fn condition(
    condition: &Condition,
    effect: Effect,
    variables: &Variables,
    context: &RequestContext<'_>,
) -> ConditionFinding {
    ConditionFinding {
        operator: condition.name.clone(),
        key: condition.key.clone(),
        values: condition.values.iter().map(|template| template.render(variables)).collect(),
        found: condition.found(variables, context),
        holds: condition.holds(effect, variables, context),
    }
}

fn verdict(policy: usize, statements: &[StatementFinding]) -> PolicyVerdict {
    let applies = |effect| {
        let mut own = statements.iter().filter(|s| usize::from(s.origin.policy) == policy);
        own.any(|s| s.effect == effect && s.outcome == Outcome::Applies)
    };
    match (applies(Effect::Deny), applies(Effect::Allow)) {
        (true, _) => PolicyVerdict::Denies,
        (false, true) => PolicyVerdict::Allows,
        (false, false) => PolicyVerdict::Silent,
    }
}

fn missing(statements: &[StatementFinding]) -> Vec<String> {
    let mut missing: Vec<String> = Vec::new();
    let mut add = |name: &str| {
        if !missing.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            missing.push(name.to_owned());
        }
    };
    for statement in statements {
        let values = statement.conditions.iter().flat_map(|condition| &condition.values);
        for unresolved in statement.resources.iter().chain(values).flat_map(|text| &text.unresolved) {
            if unresolved.why == WhyUnresolved::Missing {
                add(&unresolved.name);
            }
        }
        statement.conditions.iter().filter(|c| c.found.is_none()).for_each(|condition| add(&condition.key));
    }
    missing
}
