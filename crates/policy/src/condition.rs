//! Conditions: an operator, a key, and the values it is compared with.
//!
//! AWS: IAM user guide, "IAM JSON policy elements: Condition operators" and "Set operators for multi-valued context keys".

use tidegate_ids::Timestamp;

use crate::{
    Effect,
    operand::{Operand, Value},
    template::{Template, WhyUnresolved},
    variables::{RequestContext, Variables, keys},
};

/// A condition as the document states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    /// The operator's name, as the document writes it.
    pub(crate) name: Box<str>,
    pub(crate) operator: Operator,
    pub(crate) key: Box<str>,
    pub(crate) values: Box<[Template]>,
}

/// A condition operator with its set prefix and its suffix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operator {
    pub(crate) comparison: Comparison,
    /// `…Not…`: holds when the comparison does not, for any of the values.
    pub(crate) negated: bool,
    pub(crate) quantifier: Quantifier,
    /// `…IfExists`: holds when the key is absent.
    pub(crate) if_exists: bool,
}

/// What is compared, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    Numeric(Relation),
    Date(Relation),
    Bool,
    IpAddress,
    /// `ArnEquals` and `ArnLike`, which are the same.
    Arn,
    Null,
}

/// What the key's value must be to the policy's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// How many of the key's values count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quantifier {
    /// No prefix: the first.
    One,
    /// `ForAllValues:`
    All,
    /// `ForAnyValue:`
    Any,
}

impl Operator {
    /// Reads an operator's name; `None` when there is none of that name. Upper and lower case are told apart.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        use {Comparison::*, Relation::*};
        let (quantifier, name) = match name.split_once(':') {
            None => (Quantifier::One, name),
            Some(("ForAllValues", name)) => (Quantifier::All, name),
            Some(("ForAnyValue", name)) => (Quantifier::Any, name),
            Some(_) => return None,
        };
        let (name, if_exists) = match name.strip_suffix("IfExists") {
            Some("Null") => return None,
            Some(name) => (name, true),
            None => (name, false),
        };
        let (comparison, negated) = match name {
            "StringEquals" => (StringEquals, false),
            "StringNotEquals" => (StringEquals, true),
            "StringEqualsIgnoreCase" => (StringEqualsIgnoreCase, false),
            "StringNotEqualsIgnoreCase" => (StringEqualsIgnoreCase, true),
            "StringLike" => (StringLike, false),
            "StringNotLike" => (StringLike, true),
            "NumericEquals" => (Numeric(Equal), false),
            "NumericNotEquals" => (Numeric(Equal), true),
            "NumericLessThan" => (Numeric(Less), false),
            "NumericLessThanEquals" => (Numeric(LessOrEqual), false),
            "NumericGreaterThan" => (Numeric(Greater), false),
            "NumericGreaterThanEquals" => (Numeric(GreaterOrEqual), false),
            "DateEquals" => (Date(Equal), false),
            "DateNotEquals" => (Date(Equal), true),
            "DateLessThan" => (Date(Less), false),
            "DateLessThanEquals" => (Date(LessOrEqual), false),
            "DateGreaterThan" => (Date(Greater), false),
            "DateGreaterThanEquals" => (Date(GreaterOrEqual), false),
            "Bool" => (Bool, false),
            "IpAddress" => (IpAddress, false),
            "NotIpAddress" => (IpAddress, true),
            "ArnEquals" | "ArnLike" => (Arn, false),
            "ArnNotEquals" | "ArnNotLike" => (Arn, true),
            "Null" => (Null, false),
            _ => return None,
        };
        Some(Self { comparison, negated, quantifier, if_exists })
    }
}

/// What a condition comes to once variables are known.
#[derive(Debug)]
pub(crate) enum BindOutcome {
    /// It holds for the whole connection.
    Holds,
    /// It does not: the statement never applies.
    Fails,
    /// It depends on the request.
    Later(BoundCondition),
}

/// A condition whose values are bound and whose key is looked up at each request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BoundCondition {
    operator: Operator,
    key: Box<str>,
    operands: Box<[Operand]>,
}

impl Condition {
    /// Binds the values, and decides at once when the key is among `variables`.
    ///
    /// A value with a variable that nobody gave equals nothing. For an Allow under a negated operator that would open the
    /// door to all, so such a condition fails; and a Deny is not escaped by a value that is withheld because of its
    /// characters: under an operator that is not negated it equals everything.
    ///
    /// AWS: IAM user guide, "Policy variables with no value", for the first. Decision 0006 for the others.
    pub(crate) fn bind(&self, effect: Effect, variables: &Variables) -> BindOutcome {
        let Operator { comparison, negated, .. } = self.operator;
        let mut operands = Vec::with_capacity(self.values.len());
        for value in &self.values {
            match (Operand::bind(comparison, value, variables), effect, negated) {
                (Ok(operand), _, _) => operands.push(operand),
                (Err(_), Effect::Allow, true) => return BindOutcome::Fails,
                (Err(WhyUnresolved::Withheld), Effect::Deny, false) => operands.push(Operand::Anything),
                (Err(_), _, _) => {}
            }
        }
        let condition = BoundCondition { operator: self.operator, key: self.key.clone(), operands: operands.into() };
        match variables.condition_values(&self.key) {
            Some(values) if condition.holds_for(Some(values.iter().map(|v| Value::Text(v)))) => BindOutcome::Holds,
            Some(_) => BindOutcome::Fails,
            None => BindOutcome::Later(condition),
        }
    }
}

impl Condition {
    /// Whether it holds for a request of a connection. Binds as it goes.
    pub(crate) fn holds(&self, effect: Effect, variables: &Variables, context: &RequestContext<'_>) -> bool {
        match self.bind(effect, variables) {
            BindOutcome::Holds => true,
            BindOutcome::Fails => false,
            BindOutcome::Later(condition) => condition.holds(context),
        }
    }

    /// The values that its key has; `None` when it is absent.
    pub(crate) fn found(&self, variables: &Variables, context: &RequestContext<'_>) -> Option<Vec<String>> {
        if let Some(values) = variables.condition_values(&self.key) {
            return Some(values.iter().map(|value| value.to_string()).collect());
        }
        if is_of_time(&self.key) {
            return Some(vec![context.now.seconds().to_string()]);
        }
        let found = context.values.iter().find(|(key, _)| key.eq_ignore_ascii_case(&self.key));
        let found = found.filter(|(_, values)| !values.is_empty());
        found.map(|(_, values)| values.iter().map(|value| (*value).to_owned()).collect())
    }
}

fn is_of_time(key: &str) -> bool {
    [keys::CURRENT_TIME, keys::EPOCH_TIME].iter().any(|known| known.eq_ignore_ascii_case(key))
}

impl BoundCondition {
    /// Whether it holds for a request. No allocation.
    pub(crate) fn holds(&self, context: &RequestContext<'_>) -> bool {
        if let Some(now) = self.time(context.now) {
            return self.holds_for(Some(std::iter::once(now)));
        }
        let found = context.values.iter().find(|(key, _)| key.eq_ignore_ascii_case(&self.key));
        let found = found.filter(|(_, values)| !values.is_empty()); // a key without a value is absent
        self.holds_for(found.map(|(_, values)| values.iter().map(|v| Value::Text(v))))
    }

    /// Whether the outcome changes with the time alone.
    pub(crate) fn depends_on_time(&self) -> bool {
        self.time(Timestamp::default()).is_some()
    }

    fn time(&self, now: Timestamp) -> Option<Value<'static>> {
        is_of_time(&self.key).then_some(Value::Time(now))
    }

    /// `values` is what the key has; `None` when the key is absent.
    fn holds_for<'v>(&self, values: Option<impl Iterator<Item = Value<'v>>>) -> bool {
        let Operator { comparison, negated, quantifier, if_exists } = self.operator;
        if comparison == Comparison::Null {
            let absent = values.is_none();
            return self.operands.iter().any(|o| matches!(o, Operand::Anything) || *o == Operand::Bool(absent));
        }
        let fits = |value: Value<'v>| self.operands.iter().any(|operand| operand.fits(value)) != negated;
        match (values, quantifier) {
            (None, _) if if_exists => true,
            (None, Quantifier::One) => negated,
            (None, Quantifier::All) => true,
            (None, Quantifier::Any) => false,
            (Some(mut values), Quantifier::One) => values.next().map_or(negated, fits),
            (Some(mut values), Quantifier::All) => values.all(fits),
            (Some(mut values), Quantifier::Any) => values.any(fits),
        }
    }
}
