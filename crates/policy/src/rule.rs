//! What a statement comes to on one type of resource: patterns over the bare text.

use tidegate_ids::Tenant;

use crate::{
    Access, Effect, Origin, RequestContext, Variables,
    access::{AccessSet, ResourceType},
    condition::{BindOutcome, BoundCondition},
    document::{Listed, Statement},
    pattern::{matches, residues},
    sieve::{Probe, Sieve},
    template::Template,
    wildcard_match,
};

/// All rules of a policy set, by what they can decide. Each connection whose policies have variables holds one: hence all
/// patterns in one place, and nothing for what a rule has not.
#[derive(Debug)]
pub(crate) struct Rules {
    /// By what they can decide: see [`group`].
    entries: Box<[Entry]>,
    /// Where each group of `entries` ends.
    ends: [u32; GROUPS],
    pub(crate) depends_on_time: bool,
    rules: Box<[Rule]>,
    /// The bytes of all patterns. One may be the end of another.
    patterns: Box<[u8]>,
}

/// One way for a rule to apply: by one of its resources; or, when those are not meant, by none of them.
#[derive(Debug)]
struct Entry {
    sieve: Sieve,
    accesses: AccessSet,
    /// Index of the rule.
    rule: u32,
    pattern: Span,
}

/// One statement on one type of resource.
#[derive(Debug)]
struct Rule {
    origin: Origin,
    particulars: Option<Box<Particulars>>,
}

/// What most rules have not.
#[derive(Debug)]
struct Particulars {
    /// The resources, where those are named that are *not* meant.
    not: Option<Box<[Span]>>,
    conditions: Box<[BoundCondition]>,
}

/// A pattern among those of the rules.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: u32,
    bytes: u32,
}

/// So many patterns are matched sooner than a text is digested for their sieves.
const FEW: usize = 8;
/// Groups of entries: effects times types of resources.
const GROUPS: usize = 6;

/// The group of entries that can decide so about a `kind` of resource.
fn group(effect: Effect, kind: ResourceType) -> usize {
    kind as usize * 2 + usize::from(effect == Effect::Deny)
}

impl Rules {
    /// A statement that applies to the probed text. No allocation.
    pub(crate) fn first(
        &self,
        effect: Effect,
        access: Access,
        probe: &Probe<'_>,
        context: &RequestContext<'_>,
    ) -> Option<Origin> {
        let group = group(effect, access.kind());
        let start = group.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        let entries = &self.entries[start..self.ends[group] as usize];
        let passes = if entries.len() > FEW { Sieve::lets_pass } else { Sieve::begins };
        let mut candidates = entries.iter().filter(|e| e.accesses.contains(access) && passes(e.sieve, probe));
        candidates.find(|entry| self.applies(entry, probe.text(), context)).map(|e| self.rules[e.rule as usize].origin)
    }

    /// Whether the statement applies by this entry. No allocation.
    fn applies(&self, entry: &Entry, text: &str, context: &RequestContext<'_>) -> bool {
        let by = |pattern: &Span| matches(self.pattern(*pattern), text);
        match &self.rules[entry.rule as usize].particulars {
            None => by(&entry.pattern),
            Some(particulars) => {
                let Particulars { not, conditions } = &**particulars;
                let matched = not.as_ref().map_or_else(|| by(&entry.pattern), |not| !not.iter().any(by));
                matched && conditions.iter().all(|condition| condition.holds(context))
            }
        }
    }

    fn pattern(&self, Span { start, bytes }: Span) -> &[u8] {
        &self.patterns[start as usize..][..bytes as usize]
    }
}

/// Rules that are being put together.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    /// With the group of each.
    entries: Vec<(usize, Entry)>,
    rules: Vec<Rule>,
    patterns: Vec<u8>,
    depends_on_time: bool,
}

impl Draft {
    /// Adds what those resources of `statement` that are `wanted` come to under `variables`: nothing, when it can never apply.
    /// `accesses` are those it names.
    pub(crate) fn add(
        &mut self,
        origin: Origin,
        accesses: AccessSet,
        statement: &Statement,
        wanted: impl Fn(&Template) -> bool,
        prefixes: &ResourcePrefixes,
        variables: &Variables,
    ) {
        let Some(resources) = bind_resources(statement, wanted, variables) else { return };
        let Some(conditions) = bind_conditions(statement, variables) else { return };
        self.depends_on_time |= conditions.iter().any(BoundCondition::depends_on_time);
        for kind in ResourceType::ALL {
            let accesses = accesses.on(kind);
            if accesses.is_empty() {
                continue;
            }
            let mut patterns = Vec::new();
            for resource in &resources {
                self.keep(&residues(resource, prefixes.of(kind)), &mut patterns);
            }
            let (group, rule) = (group(statement.effect, kind), self.rules.len() as u32);
            let not = statement.resources.negated.then(|| patterns.iter().map(|(_, span)| *span).collect());
            if not.is_some() {
                patterns = vec![(Sieve::OPEN, Span { start: 0, bytes: 0 })];
            }
            if patterns.is_empty() {
                continue;
            }
            self.entries
                .extend(patterns.into_iter().map(|(sieve, pattern)| (group, Entry { sieve, accesses, rule, pattern })));
            let particulars = (not.is_some() || !conditions.is_empty())
                .then(|| Box::new(Particulars { not, conditions: conditions.clone().into() }));
            self.rules.push(Rule { origin, particulars });
        }
    }

    /// Keeps the residues of one pattern, which end alike: only the first and longest is kept whole.
    fn keep(&mut self, residues: &[&[u8]], kept: &mut Vec<(Sieve, Span)>) {
        let Some(longest) = residues.first() else { return };
        self.patterns.extend_from_slice(longest);
        let end = self.patterns.len();
        kept.extend(residues.iter().map(|residue| {
            (Sieve::new(residue), Span { start: (end - residue.len()) as u32, bytes: residue.len() as u32 })
        }));
    }

    pub(crate) fn finish(mut self) -> Rules {
        self.entries.sort_by_key(|(group, _)| *group);
        let ends = std::array::from_fn(|group| self.entries.partition_point(|(of, _)| *of <= group) as u32);
        Rules {
            entries: self.entries.into_iter().map(|(_, entry)| entry).collect(),
            ends,
            depends_on_time: self.depends_on_time,
            rules: self.rules.into(),
            patterns: self.patterns.into(),
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

/// Whether what `statement` says about `resource`, one of its own, is the same for every connection.
pub(crate) fn is_same_for_all(statement: &Statement, resource: &Template) -> bool {
    let Listed { negated, items } = &statement.resources;
    let varies = if *negated { items.iter().any(Template::has_variables) } else { resource.has_variables() };
    statement.conditions.is_empty() && !varies
}

/// Those resources that are `wanted`, under `variables`; `None` when the statement can never apply by them.
///
/// A resource with a variable that is not replaced matches nothing. Under `NotResource` that would mean everything:
/// right for a Deny, but an Allow never rests on a value nobody gave (Decision), so it does not apply.
pub(crate) fn bind_resources(
    statement: &Statement,
    wanted: impl Fn(&Template) -> bool,
    variables: &Variables,
) -> Option<Vec<Vec<u8>>> {
    let Listed { negated, items } = &statement.resources;
    let wanted = items.iter().filter(|template| wanted(template));
    let bound: Vec<Option<Vec<u8>>> = wanted.map(|template| template.pattern(variables).ok()).collect();
    if *negated && statement.effect == Effect::Allow && bound.contains(&None) {
        return None;
    }
    let bound: Vec<Vec<u8>> = bound.into_iter().flatten().collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Every connection whose policies have variables holds one `Rules`, and an `Entry` for each resource with a variable: two of
    /// them where the resource's ARN has a wildcard before the topic.
    #[test]
    fn what_each_connection_holds_is_small() {
        assert_eq!((size_of::<Rules>(), size_of::<Entry>(), size_of::<Rule>()), (80, 32, 16));
    }
}
