//! What is probably not meant: policies that allow more than they seem to, and statements that never match.

mod known;

use tidegate_ids::Tenant;

use crate::{
    Access, Document, Effect, Variables,
    access::ResourceType,
    condition::{Comparison, Condition, Quantifier},
    document::Statement,
    operand::Operand,
    pattern::{ANY_ONE, ANY_RUN, residues},
    rule::{ResourcePrefixes, named_accesses},
    template::Template,
};

/// One thing that is probably not meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintWarning {
    /// Index of the statement, from 0.
    pub statement: usize,
    /// Its `Sid`.
    pub sid: Option<Box<str>>,
    /// Which rule found it.
    pub rule: LintRule,
    /// What is wrong and what to write instead: one sentence for a person.
    pub text: String,
}

macro_rules! rules {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// What a policy is looked through for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum LintRule { $($(#[$doc])* $variant,)* }

        impl LintRule {
            /// Its name in logs and answers: lower case, with hyphens.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

rules! {
    /// An Allow of every action on every resource.
    Everything = "everything",
    /// `topicfilter/a/*` allows the filter `a/#`.
    WildcardFilter = "wildcard-filter",
    /// Whoever has the policy may connect under the client ids of others, and so throw them out.
    WildcardClientId = "wildcard-client-id",
    /// A Deny that a client escapes by the characters of a name that it chooses.
    EscapableDeny = "escapable-deny",
    /// `${…}` in a document whose version knows no variables.
    VariablesOff = "variables-off",
    /// An action that does not exist.
    UnknownAction = "unknown-action",
    /// An action none of whose resources are in the statement.
    ActionWithoutResource = "action-without-resource",
    /// A resource that none of the statement's actions looks at.
    ResourceWithoutAction = "resource-without-action",
    /// `+` or `#` in a topic name.
    FilterInTopic = "filter-in-topic",
    /// A variable that no connection has.
    UnknownVariable = "unknown-variable",
    /// A condition key that no request has.
    UnknownConditionKey = "unknown-condition-key",
    /// A condition value that is not of the operator's type.
    UnreadableValue = "unreadable-value",
}

impl Document {
    /// What is probably not meant in this policy of `tenant`; without one, the account and region of its first complete
    /// ARN count. A document without warnings may still be wrong.
    ///
    /// Cost: a few microseconds for each statement; for CreatePolicy, never for messages.
    pub fn lint(&self, tenant: Option<Tenant>) -> Vec<LintWarning> {
        let prefixes = ResourcePrefixes::new(tenant.or_else(|| self.tenant()).unwrap_or_else(nobody));
        let mut warnings = Vec::new();
        for (index, statement) in self.statements.iter().enumerate() {
            let mut tell = |rule, text: String| {
                warnings.push(LintWarning { statement: index, sid: statement.sid.clone(), rule, text });
            };
            reach(statement, &prefixes, &mut tell);
            actions_and_resources(statement, &prefixes, &mut tell);
            variables(statement, self.variables, &mut tell);
            statement.conditions.iter().for_each(|one| condition(one, &mut tell));
        }
        warnings
    }

    /// Account and region of the first resource that names both.
    fn tenant(&self) -> Option<Tenant> {
        let texts = self.statements.iter().flat_map(|s| &s.resources.items).map(text);
        texts.into_iter().find_map(|text| text.parse::<tidegate_ids::Arn>().ok()?.tenant())
    }
}

/// For a document without any complete ARN.
fn nobody() -> Tenant {
    let parsed = "000000000000".parse().and_then(|account| Ok(Tenant { account, region: "us-east-1".parse()? }));
    parsed.expect("these are an account and a region")
}

type Tell<'t> = dyn FnMut(LintRule, String) + 't;

/// What an Allow reaches beyond what it seems to say, and what escapes a Deny.
fn reach(statement: &Statement, prefixes: &ResourcePrefixes, tell: &mut Tell<'_>) {
    let accesses = named_accesses(statement);
    let resources = &statement.resources;
    match statement.effect {
        Effect::Deny => {
            let template = resources.items.iter().find(|template| template.variables().next().is_some());
            if let Some(template) = template.filter(|_| !resources.negated) {
                let text = text(template);
                tell(
                    LintRule::EscapableDeny,
                    format!(
                        "this Deny does not apply to a client whose value for a variable of {text} has one of * $ + ? # in it, for \
                     then the variable is not replaced: deny with * in its place, or restrict what is allowed instead"
                    ),
                );
            }
        }
        Effect::Allow if resources.negated || !statement.conditions.is_empty() => {}
        Effect::Allow => {
            let all = |template: &Template| template.widest() == [ANY_RUN] && template.variables().next().is_none();
            if Access::ALL.into_iter().all(|access| accesses.contains(access)) && resources.items.iter().any(all) {
                let text =
                    "it allows every action on every resource: name the client ids and topics that the device needs";
                return tell(LintRule::Everything, text.into());
            }
            if accesses.contains(Access::Subscribe) {
                for (template, parent) in wild(&resources.items, prefixes.of(ResourceType::TopicFilter)) {
                    tell(
                        LintRule::WildcardFilter,
                        format!(
                            "{template} also allows the filters {parent}# and {parent}+/…, which match every topic that begins with \
                         {parent}: if that is not meant, write the filters that the device subscribes with; + and # stand for \
                         themselves in a policy"
                        ),
                    );
                }
            }
            if accesses.contains(Access::Connect) {
                for (template, _) in wild(&resources.items, prefixes.of(ResourceType::Client)) {
                    tell(
                        LintRule::WildcardClientId,
                        format!(
                            "{template} allows to connect under other devices' client ids, which disconnects them: write \
                         client/${{iot:Connection.Thing.ThingName}} or client/${{iot:Certificate.Subject.CommonName}}"
                        ),
                    );
                }
            }
        }
    }
}

/// The resources with a wildcard in what they say about the texts behind `prefix`, and that part before the wildcard. A
/// variable is no wildcard: it stands for one value.
fn wild(items: &[Template], prefix: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for template in items {
        let pattern = template.spelled();
        let parent = residues(&pattern, prefix).into_iter().find_map(|residue| {
            let wildcard = residue.iter().position(|byte| matches!(*byte, ANY_RUN | ANY_ONE))?;
            Some(String::from_utf8_lossy(&residue[..wildcard]).into_owned())
        });
        found.extend(parent.map(|parent| (text(template), parent)));
    }
    found
}

/// Actions and resources that have nothing to do with each other.
fn actions_and_resources(statement: &Statement, prefixes: &ResourcePrefixes, tell: &mut Tell<'_>) {
    let actions = &statement.actions;
    for action in actions.items.iter().filter(|action| !known::is_action(action)) {
        tell(LintRule::UnknownAction, format!("there is no action {action} that devices could do"));
    }
    let only_messages = actions.items.iter().all(|action| !known::is_action(action) || Access::named(action).is_some());
    if actions.negated || statement.resources.negated || !only_messages {
        return;
    }
    let accesses = named_accesses(statement);
    let fits = |template: &Template, kind| !residues(&template.widest(), prefixes.of(kind)).is_empty();
    let items = &statement.resources.items;
    for access in Access::ALL.into_iter().filter(|access| accesses.contains(*access)) {
        if !items.iter().any(|template| fits(template, access.kind())) {
            tell(
                LintRule::ActionWithoutResource,
                format!(
                    "{} never matches here: its resources begin with {}",
                    access.action(),
                    prefixes.of(access.kind())
                ),
            );
        }
    }
    for template in items {
        let shown = text(template);
        let kinds = ResourceType::ALL.into_iter().filter(|kind| !accesses.on(*kind).is_empty());
        if !accesses.is_empty() && !kinds.clone().any(|kind| fits(template, kind)) {
            tell(
                LintRule::ResourceWithoutAction,
                format!("none of the statement's actions is ever asked about {shown}"),
            );
        }
        if let Some(topic) = shown.strip_prefix(prefixes.of(ResourceType::Topic)).filter(|t| t.contains(['+', '#'])) {
            tell(
                LintRule::FilterInTopic,
                format!(
                    "no topic name is {topic}: + and # stand for themselves in a policy, and topic names have none; write * or \
                 the topic's name"
                ),
            );
        }
    }
}

/// Variables that are never replaced.
fn variables(statement: &Statement, on: bool, tell: &mut Tell<'_>) {
    let values = statement.conditions.iter().flat_map(|condition| &condition.values);
    let mut told: Vec<&str> = Vec::new();
    for template in statement.resources.items.iter().chain(values) {
        if !on && template.literals().any(|literal| literal.contains("${")) {
            tell(
                LintRule::VariablesOff,
                format!(
                    "{} has no variables, for the document's Version is not 2012-10-17: write \"Version\": \"2012-10-17\"",
                    text(template)
                ),
            );
        }
        for name in template.variables().filter(|name| !known::is_variable(name)) {
            if !told.contains(&name) {
                told.push(name);
                tell(
                    LintRule::UnknownVariable,
                    format!("no connection has a value for ${{{name}}}, which is never replaced"),
                );
            }
        }
    }
}

/// Conditions that never hold.
fn condition(condition: &Condition, tell: &mut Tell<'_>) {
    let operator = condition.operator;
    let absent_fails = !operator.if_exists && !operator.negated && operator.quantifier != Quantifier::All;
    if absent_fails && operator.comparison != Comparison::Null && !known::is_condition_key(&condition.key) {
        tell(LintRule::UnknownConditionKey, format!("no request has a value for the condition key {}", condition.key));
    }
    for value in &condition.values {
        let fixed = value.variables().next().is_none();
        if fixed && Operand::bind(operator.comparison, value, &Variables::new()) == Ok(Operand::Unreadable) {
            tell(LintRule::UnreadableValue, format!("{} cannot compare with {:?}", condition.name, text(value)));
        }
    }
}

/// As the document writes it, nearly.
fn text(template: &Template) -> String {
    template.render(&Variables::new()).text
}

#[cfg(test)]
mod tests;
