//! What a statement comes to on one type of resource: patterns over the bare text.

use tidegate_ids::Tenant;

use crate::{
    Access, Effect, Origin, RequestContext, Variables,
    access::{AccessSet, ResourceType},
    condition::{BindOutcome, BoundCondition},
    document::{Listed, Statement},
    pattern::{Pattern, Token, residues},
    sieve::{Probe, Sieve},
    template::Template,
    wildcard_match,
};

/// One statement on one type of resource.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) origin: Origin,
    accesses: AccessSet,
    resources: Listed<Pattern>,
    conditions: Box<[BoundCondition]>,
}

/// So many patterns are matched sooner than a text is digested for their sieves.
const FEW: usize = 8;

/// One way for a rule to apply: by one of its resources; or, when those are not meant, by none of them.
#[derive(Debug)]
struct Entry {
    sieve: Sieve,
    accesses: AccessSet,
    /// Index of the rule.
    rule: u32,
    /// Index of the resource.
    resource: u32,
}

impl Rule {
    /// Whether the statement applies by this resource. No allocation.
    fn applies_by(&self, resource: usize, text: &str, context: &RequestContext<'_>) -> bool {
        let Listed { negated, items } = &self.resources;
        let matched = match negated {
            false => items[resource].matches(text),
            true => !items.iter().any(|pattern| pattern.matches(text)),
        };
        matched && self.conditions.iter().all(|condition| condition.holds(context))
    }
}

/// All rules of a policy set, by what they can decide.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    client: ByEffect,
    topic: ByEffect,
    topic_filter: ByEffect,
    pub(crate) depends_on_time: bool,
}

#[derive(Debug, Default)]
struct ByEffect {
    denies: Listing,
    allows: Listing,
}

/// Rules of one effect on one type of resource, and the entries by which they are found.
#[derive(Debug, Default)]
struct Listing {
    rules: Vec<Rule>,
    entries: Vec<Entry>,
}

impl Listing {
    fn push(&mut self, rule: Rule, sieves: impl Iterator<Item = Sieve>) {
        let (index, accesses) = (self.rules.len() as u32, rule.accesses);
        let entry = |(resource, sieve)| Entry { sieve, accesses, rule: index, resource: resource as u32 };
        self.entries.extend(sieves.enumerate().map(entry));
        self.rules.push(rule);
    }

    fn shrink(&mut self) {
        self.rules.shrink_to_fit();
        self.entries.shrink_to_fit();
    }
}

impl Rules {
    /// Adds what `statement` comes to under `variables`: nothing, when it can never apply. `accesses` are those it names.
    pub(crate) fn add(
        &mut self,
        origin: Origin,
        accesses: AccessSet,
        statement: &Statement,
        prefixes: &ResourcePrefixes,
        variables: &Variables,
    ) {
        let Some(resources) = bind_resources(statement, variables) else { return };
        let Some(conditions) = bind_conditions(statement, variables) else { return };
        self.depends_on_time |= conditions.iter().any(BoundCondition::depends_on_time);
        for kind in ResourceType::ALL {
            let accesses = accesses.on(kind);
            if accesses.is_empty() {
                continue;
            }
            let left: Vec<&[Token]> = resources.iter().flat_map(|tokens| residues(tokens, prefixes.of(kind))).collect();
            let items: Box<[Pattern]> = left.iter().map(|tokens| Pattern::new(tokens)).collect();
            let negated = statement.resources.negated;
            if items.is_empty() && !negated {
                continue;
            }
            let rule =
                Rule { origin, accesses, resources: Listed { negated, items }, conditions: conditions.clone().into() };
            let listing = self.of_mut(kind, statement.effect);
            match negated {
                false => listing.push(rule, left.iter().map(|tokens| Sieve::new(tokens))),
                true => listing.push(rule, std::iter::once(Sieve::OPEN)),
            }
        }
    }

    /// A statement that applies to the probed text. No allocation.
    pub(crate) fn first(
        &self,
        effect: Effect,
        access: Access,
        probe: &Probe<'_>,
        context: &RequestContext<'_>,
    ) -> Option<Origin> {
        let by_effect = match access.kind() {
            ResourceType::Client => &self.client,
            ResourceType::Topic => &self.topic,
            ResourceType::TopicFilter => &self.topic_filter,
        };
        let Listing { rules, entries } = match effect {
            Effect::Allow => &by_effect.allows,
            Effect::Deny => &by_effect.denies,
        };
        let passes = if entries.len() > FEW { Sieve::lets_pass } else { Sieve::begins };
        let mut candidates = entries.iter().filter(|e| e.accesses.contains(access) && passes(e.sieve, probe));
        let found = candidates.find(|e| rules[e.rule as usize].applies_by(e.resource as usize, probe.text(), context));
        found.map(|entry| rules[entry.rule as usize].origin)
    }

    pub(crate) fn shrink(&mut self) {
        for by_effect in [&mut self.client, &mut self.topic, &mut self.topic_filter] {
            by_effect.denies.shrink();
            by_effect.allows.shrink();
        }
    }

    fn of_mut(&mut self, kind: ResourceType, effect: Effect) -> &mut Listing {
        let by_effect = match kind {
            ResourceType::Client => &mut self.client,
            ResourceType::Topic => &mut self.topic,
            ResourceType::TopicFilter => &mut self.topic_filter,
        };
        match effect {
            Effect::Allow => &mut by_effect.allows,
            Effect::Deny => &mut by_effect.denies,
        }
    }
}

/// `arn:aws:iot:REGION:ACCOUNT:TYPE/` of each type of resource.
#[derive(Debug)]
pub(crate) struct ResourcePrefixes([String; 3]);

impl ResourcePrefixes {
    pub(crate) fn new(tenant: Tenant) -> Self {
        let Tenant { account, region } = tenant;
        Self(ResourceType::ALL.map(|kind| format!("arn:aws:iot:{region}:{account}:{}/", kind.name())))
    }

    pub(crate) fn of(&self, kind: ResourceType) -> &str {
        &self.0[kind as usize]
    }
}

/// The accesses of the message path that `statement` names; none for one that only speaks of other actions.
pub(crate) fn named_accesses(statement: &Statement) -> AccessSet {
    AccessSet::of(|access| names_action(&statement.actions, access.action()))
}

/// Whether `actions` names `action`. Action names are the same in upper and lower case.
pub(crate) fn names_action(actions: &Listed<Box<str>>, action: &str) -> bool {
    let action = action.to_ascii_lowercase();
    let named = actions.items.iter().any(|pattern| wildcard_match(&pattern.to_ascii_lowercase(), &action));
    named != actions.negated
}

/// Whether nothing about `statement` depends on the connection.
pub(crate) fn is_same_for_all(statement: &Statement) -> bool {
    statement.conditions.is_empty() && !statement.resources.items.iter().any(Template::has_variables)
}

/// The resources under `variables`; `None` when the statement can never apply.
///
/// A resource with a variable that is not replaced matches nothing. Under `NotResource` that would mean everything:
/// right for a Deny, but an Allow never rests on a value nobody gave (Decision), so it does not apply.
pub(crate) fn bind_resources(statement: &Statement, variables: &Variables) -> Option<Vec<Vec<Token>>> {
    let Listed { negated, items } = &statement.resources;
    let bound: Vec<Option<Vec<Token>>> = items.iter().map(|template| template.tokens(variables).ok()).collect();
    if *negated && statement.effect == Effect::Allow && bound.contains(&None) {
        return None;
    }
    let bound: Vec<Vec<Token>> = bound.into_iter().flatten().collect();
    (*negated || !bound.is_empty()).then_some(bound)
}

/// The conditions that are left to each request; `None` when one of them fails for the whole connection.
pub(crate) fn bind_conditions(statement: &Statement, variables: &Variables) -> Option<Vec<BoundCondition>> {
    let mut later = Vec::new();
    for condition in &statement.conditions {
        match condition.bind(statement.effect, variables) {
            BindOutcome::Holds => {}
            BindOutcome::Fails => return None,
            BindOutcome::Later(condition) => later.push(condition),
        }
    }
    Some(later)
}
